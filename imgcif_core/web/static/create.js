// The pages on which an imgCIF is made. Of each image only the head is read and sent, as the server's
// imgcif-heads/1 has it: raw data have 10 to 200 GB, what they say of the experiment a few MB.
const HEAD = 64 * 1024, MOST_HEAD = 256 * 1024, MIME = 2048, AT_ONCE = 16, MOST_PAGES = 5000, MOST_VALUE = 64 * 1024;
const BINARY = "--CIF-BINARY-FORMAT-SECTION--";
const ARCHIVE = /\.(tar|zip|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$/i;
const IMAGE = /\.(cbf|img|tiff?|mccd|mar\d*|h5|hdf5?|nxs|cxi)(\.(gz|bz2))?$|\.\d{3,}$/i;
const DATA_FILE = /_data_\d+\.h5$|_data\.h5$/i;

const latin = (bytes) => new TextDecoder("latin1").decode(bytes);
const bytesOf = async (file, start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());
const megabytes = (size) => (size < 1e6 ? `${Math.max(1, Math.round(size / 1000))} kB` : `${(size / 1e6).toFixed(1)} MB`);

// Which pieces of a file tell what it describes: [offset, length], in order.
export async function piecesOf(file, name, hasMaster) {
  const whole = [[0, file.size]];
  if (DATA_FILE.test(name) && hasMaster) return [];
  if (ARCHIVE.test(name) || /\.(bz2|xz)$/i.test(name)) return whole;
  if (/\.gz$/i.test(name)) return [[0, Math.min(HEAD, file.size)]];
  let head = await bytesOf(file, 0, HEAD);
  const mark = latin(head.subarray(0, 64));
  const smv = /^\{\s*HEADER_BYTES\s*=\s*(\d{1,7})/.exec(mark);
  if (smv) return [[0, Math.min(Number(smv[1]), file.size)]];
  if (/^(II[*+]\0|MM\0[*+])/.test(mark)) return await tiffPieces(file, head);
  if (mark.trimStart().startsWith("###CBF") || /\.(cbf|cif|imgcif)$/i.test(name)) {
    let at = latin(head).indexOf(BINARY);
    if (at < 0 && file.size > HEAD) {
      head = await bytesOf(file, 0, MOST_HEAD);
      at = latin(head).indexOf(BINARY);
    }
    return at < 0 ? whole : [[0, Math.min(at + MIME, file.size)]];
  }
  return whole;
}

// The head of a TIFF, its directories, and the values that these keep elsewhere; some programs write them at the end.
async function tiffPieces(file, head) {
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view(head), little = head[0] === 0x49, big = first.getUint16(2, little) === 43;
  const widths = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 9: 4, 11: 4, 12: 8, 13: 4, 16: 8 };
  const ranges = [[0, Math.min(4096, file.size)]];
  const place = (data, at) => (big ? Number(data.getBigUint64(at, little)) : data.getUint32(at, little));
  let offset = place(first, big ? 8 : 4);
  const seen = new Set(), [step, start] = big ? [20, 8] : [12, 2];
  while (offset && offset + start <= file.size && !seen.has(offset) && seen.size < MOST_PAGES) {
    seen.add(offset);
    const lead = view(await bytesOf(file, offset, offset + start));
    const count = Math.min(big ? Number(lead.getBigUint64(0, little)) : lead.getUint16(0, little), 4096);
    const size = start + count * step + (big ? 8 : 4);
    const data = view(await bytesOf(file, offset, offset + size));
    if (data.byteLength < size) break;
    ranges.push([offset, size]);
    for (let entry = start; entry < start + count * step; entry += step) {
      const number = place(data, entry + 4), width = widths[data.getUint16(entry + 2, little)] ?? 1;
      const at = place(data, entry + (big ? 12 : 8));
      if (number * width > (big ? 8 : 4) && at < file.size) {
        ranges.push([at, Math.min(number * width, MOST_VALUE, file.size - at)]);
      }
    }
    offset = place(data, start + count * step);
  }
  return merged(ranges);
}

// Ranges in order, without overlaps.
function merged(ranges) {
  const found = [];
  for (const [start, size] of ranges.sort((one, other) => one[0] - other[0])) {
    const last = found.at(-1);
    if (last && start <= last[0] + last[1]) last[1] = Math.max(last[1], start + size - last[0]);
    else found.push([start, size]);
  }
  return found;
}

// The index and the pieces of files [{file, name}]; `told` hears how far it is, `signal` ends it.
export async function headsOf(files, { told = () => {}, signal = null, most = Infinity } = {}) {
  const hasMaster = files.some(({ name }) => /master/i.test(name) && /\.(h5|hdf5?|nxs)$/i.test(name));
  const entries = new Array(files.length), parts = new Array(files.length);
  let size = 0, next = 0;
  const reader = async () => {
    while (next < files.length) {
      signal?.throwIfAborted();
      const place = next++, { file, name } = files[place];
      const pieces = await piecesOf(file, name, hasMaster);
      const read = await Promise.all(pieces.map(([start, count]) => file.slice(start, start + count)));
      size += pieces.reduce((sum, piece) => sum + piece[1], 0);
      if (size > most) throw new Error(`${name}: with it the files have more than ${megabytes(most)}, too much to send`);
      entries[place] = { name, size: file.size, pieces };
      parts[place] = new Blob(read);
      told(place + 1, files.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
  let pieces = new Blob(parts), packing = null;
  if (typeof CompressionStream === "function") {
    packing = "gzip";
    pieces = await new Response(pieces.stream().pipeThrough(new CompressionStream("gzip"))).blob();
  }
  const index = { schema: "imgcif-heads/1", packing, files: entries };
  return { index: new Blob([JSON.stringify(index)], { type: "application/json" }), pieces, size };
}

// ---- the page of sources

// The files of what was dropped, folders with all that is in them.
async function dropped(items) {
  const found = [];
  const walk = async (entry, folder) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      found.push({ file, name: folder + entry.name, isFromFolder: folder !== "" });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      for (const inner of some) await walk(inner, `${folder}${entry.name}/`);
    }
  };
  for (const entry of [...items].map((item) => item.webkitGetAsEntry()).filter(Boolean)) await walk(entry, "");
  return found;
}

const listed = (input, isFromFolder) =>
  [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name, isFromFolder }));

// Of a folder only what may be an image; what was chosen by itself is taken as it is.
const wanted = (files) => files.filter(({ name, isFromFolder }) => !isFromFolder || IMAGE.test(name));

function openSources(form) {
  const byId = (id) => document.getElementById(id);
  const [inputs, folder, drop, chosen] = ["inputs", "folder", "drop", "chosen"].map(byId);
  const [stop, problem, progress] = ["stop", "problem", "progress"].map(byId);
  let files = [], running = null;

  const show = (found) => {
    files = wanted(found).sort((one, other) => (one.name < other.name ? -1 : 1));
    const size = files.reduce((sum, { file }) => sum + file.size, 0), passed = found.length - files.length;
    const lines = files.slice(0, 3).map(({ name }) => name);
    if (files.length > 4) lines.push("…");
    if (files.length > 3) lines.push(files.at(-1).name);
    const list = document.createElement("ul");
    list.append(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
    const words = `${files.length} ${files.length === 1 ? "file" : "files"}, ${megabytes(size)}`;
    chosen.replaceChildren(passed ? `${words}; ${passed} that are no images were passed over` : words, list);
    problem.hidden = true;
  };
  const fail = (text) => {
    problem.textContent = text;
    problem.hidden = false;
  };
  const busy = (controller) => {
    running = controller;
    form.setAttribute("aria-busy", String(controller !== null));
    stop.hidden = progress.hidden = controller === null;
  };
  const told = (done, total) => {
    progress.max = total;
    progress.value = done;
    if (done % 100 === 0 || done === total) chosen.firstChild.textContent = `${done} of ${total} headers read`;
  };
  const send = async () => {
    const controller = new AbortController(), { signal } = controller;
    busy(controller);
    try {
      if (files.length > Number(form.dataset.files)) throw new Error(`${files.length} files; at most ${form.dataset.files}`);
      const heads = await headsOf(files, { told, signal, most: Number(form.dataset.most) });
      const size = megabytes(heads.pieces.size + heads.index.size);
      chosen.firstChild.textContent = `${files.length} headers read, ${size} are sent`;
      const body = new FormData();
      body.append("heads", heads.index, "heads.json");
      body.append("pieces", heads.pieces, "pieces");
      const answer = await fetch(form.dataset.api, { method: "POST", body, signal, headers: { Prefer: "wait=60" } });
      const data = await answer.json();
      if (!answer.ok) throw new Error(data.detail ?? answer.statusText);
      location.assign(form.dataset.page + (data.session ?? data.id));
    } catch (error) {
      fail(error.name === "AbortError" ? "Stopped; nothing was kept." : error.message);
      busy(null);
    }
  };

  byId("folder-door").hidden = false;
  inputs.addEventListener("change", () => show(listed(inputs, false)));
  folder.addEventListener("change", () => show(listed(folder, true)));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") dropped(event.dataTransfer.items).then(show, (error) => fail(error.message));
    });
  }
  stop.addEventListener("click", () => running?.abort());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) return;
    if (files.length) send();
    else fail("Choose files first, or drop them on the field above.");
  });
}

// ---- the page of questions: every answer is sent as it is given, and the page shows what came of it

async function takeAnswers(form, submitter) {
  form.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [fresh, shown] = [page.getElementById("main"), document.getElementById("main")];
  if (!answer.ok || !fresh || page.querySelector("meta[http-equiv=refresh]") || !fresh.querySelector("#standing")) {
    location.assign(answer.url);
    return;
  }
  keepTyped(shown, fresh);
  const focus = document.activeElement?.id;
  document.title = page.title;
  const opened = [...shown.querySelectorAll("details")].map((entry) => entry.open && entry.querySelector("summary").textContent);
  for (const entry of fresh.querySelectorAll("details")) {
    if (opened.includes(entry.querySelector("summary").textContent)) entry.open = true;
  }
  shown.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
  if (focus) document.getElementById(focus)?.focus();
}

// What was typed meanwhile stays in the fields that are still open.
function keepTyped(shown, fresh) {
  for (const field of shown.querySelectorAll("input[id]:not([type=radio]):not([type=checkbox])")) {
    const same = field.value ? fresh.querySelector(`#${CSS.escape(field.id)}`) : null;
    if (same && !same.value) same.value = field.value;
  }
}

const sources = document.getElementById("sources");
if (sources) openSources(sources);
else {
  let queue = Promise.resolve();
  const send = (form, submitter) => {
    queue = queue.then(() => (form.isConnected ? takeAnswers(form, submitter) : null)).catch(() => form.submit());
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-live]");
    if (form && (event.target.value || !event.target.closest(".question"))) send(form);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-live]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
}
