// Drop a file anywhere on the first page; dropping again replaces. The form works without this script.
const form = document.getElementById("check");
const field = document.getElementById("file");
const zone = document.getElementById("drop");
const said = document.getElementById("dropped");
const [sending, sent, stop] = ["sending", "sent", "stop"].map((id) => document.getElementById(id));
const LARGE = 4e6;

const megabytes = (size) => `${(size / 1e6).toFixed(size < 1e6 ? 3 : 1)} MB`;

function show() {
  const file = field.files[0];
  said.textContent = file ? `${file.name}, ${megabytes(file.size)}` : "";
}

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) zone.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  zone.classList.remove("over");
  const dropped = event.dataTransfer.files;
  if (!dropped.length || !sending.hidden) return;
  const one = new DataTransfer();
  one.items.add(dropped[0]);
  field.files = one.files;
  show();
  form.requestSubmit();
});
field.addEventListener("change", show);

// A large file is sent so that one sees how far it is, and can stop it.
function send(file) {
  const request = new XMLHttpRequest();
  const end = (words) => {
    sending.hidden = true;
    form.removeAttribute("aria-busy");
    if (words) said.textContent = words;
  };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    sent.max = total;
    sent.value = loaded;
    const share = loaded < total ? `${megabytes(loaded)} of ${megabytes(total)} sent` : "Sent; it is being checked";
    if (said.textContent !== share) said.textContent = share;
  });
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    return end(page.querySelector(".problem")?.textContent ?? `${file.name} was not taken.`);
  });
  request.addEventListener("error", () => end("The connection ended before the file was sent; try again."));
  request.addEventListener("abort", () => end("Stopped; nothing was kept."));
  stop.addEventListener("click", () => request.abort(), { once: true });
  form.setAttribute("aria-busy", "true");
  sending.hidden = false;
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
}

form.addEventListener("submit", (event) => {
  const file = field.files[0], most = Number(form.dataset.most);
  if (file && file.size > most) {
    event.preventDefault();
    said.textContent = `${file.name} has ${megabytes(file.size)}; this service takes at most ${megabytes(most)}.`;
  } else if (file && file.size > LARGE) {
    event.preventDefault();
    if (sending.hidden) send(file);
  } else said.textContent = "Sending ...";
});
window.addEventListener("pageshow", show);
