// Drop a file anywhere on the first page; dropping again replaces. The form works without this script.
const form = document.getElementById("check");
const field = document.getElementById("file");
const zone = document.getElementById("drop");
const said = document.getElementById("dropped");

function show() {
  const file = field.files[0];
  said.textContent = file ? `${file.name}, ${(file.size / 1e6).toFixed(file.size < 1e6 ? 3 : 1)} MB` : "";
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
  if (!dropped.length) return;
  const one = new DataTransfer();
  one.items.add(dropped[0]);
  field.files = one.files;
  show();
  form.requestSubmit();
});
field.addEventListener("change", show);
form.addEventListener("submit", () => {
  said.textContent = "Sending ...";
});
window.addEventListener("pageshow", show);
