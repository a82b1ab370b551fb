// The view of an instrument: a projection of ours on a canvas, painted from back to front, with what stands
// beside it. Every element with `data-geometry="ADDRESS"` gets one; the address gives imgcif-geometry/2.
import {
  add, corners, cross, dot, frameCount, frameNumber, holds, length, met, placement, placeOf, poses, scaled,
  scattering, settingsAt, subtract, turned, unit,
} from "./chains.js";
import { Drawing } from "./pen.js";

const VIEWS = {
  free: "Free", beam: "Along the beam", top: "From above", side: "From the side",
};
const ZOOM = 1.15, TURN = 5;
const MOST_LISTED = 2000;

// One element with attributes, listeners (`onName` of the second argument are functions) and children as text.
function element(name, { listen = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  for (const [kind, act] of Object.entries(listen)) made.addEventListener(kind, act);
  made.append(...children);
  return made;
}

const shown = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1") : "?");

// An axis of rotation lies where it lies, whatever its own setting is.
const ownTurn = (axis, row) => (axis.type === "rotation" ? new Map([[row, 0]]) : null);

export class InstrumentView extends Drawing {
  // Put a view of the first block into `host`; `state` may name block, scan, frame, view, panel and axis.
  constructor(host, geometry, state = {}) {
    super();
    this.host = host;
    this.blocks = geometry.files.flatMap((file) => file.blocks);
    this.zoom = 1;
    this.shift = [0, 0];
    this.chosen = null;
    this.litAxes = new Set();
    this.litPanels = new Set();
    // What others draw into this view: more to paint, and places that have to be in sight.
    this.others = null;
    this.build();
    this.showBlock(Math.max(0, this.blocks.findIndex((block) => block.block === state.block)), state);
    this.observe();
  }

  // ---- what is shown

  showBlock(index, state = {}) {
    this.block = this.blocks[index];
    this.fields.block.value = String(index);
    const source = unit(this.block.source ?? [0, 0, 1]);
    this.beam = scaled(source, -1);
    // Up is against gravity; where that is not told, +Y, unless the beam runs along it.
    const gravity = this.block.gravity ? scaled(unit(this.block.gravity), -1) : [0, 1, 0];
    this.up = length(cross(gravity, this.beam)) > 0.1 ? gravity : [1, 0, 0];
    const waves = this.block.wavelengths ?? [];
    this.wavelength = waves.length === 1 ? waves[0] : null;
    const names = this.block.scans.map((scan, place) => [scan.id ?? (scan.frames === null ? "no scan" : "unnamed"), place]);
    this.fill(this.fields.scan, names);
    this.fill(this.fields.panel, [
      ["no panel", ""], ...this.block.panels.slice(0, MOST_LISTED).map((panel, place) => [panel.id, place]),
    ]);
    const scan = this.block.scans.findIndex((entry) => entry.id === state.scan);
    this.showScan(Math.max(0, scan), Number(state.frame ?? NaN));
    this.look(state.view in VIEWS ? state.view : "free");
    this.light(state);
  }

  fill(field, entries) {
    field.replaceChildren(...entries.map(([text, value]) => element("option", { value }, text)));
    field.closest("label").hidden = entries.length < 2;
  }

  showScan(place, number = NaN) {
    this.scan = this.block.scans[place];
    this.fields.scan.value = String(place);
    const count = frameCount(this.scan), { frame, number: field } = this.fields;
    frame.max = String(count - 1);
    frame.step = String(this.scan?.every ?? 1);
    field.min = String(frameNumber(this.scan, 0));
    field.max = String(frameNumber(this.scan, count - 1));
    frame.closest("label").hidden = field.closest("label").hidden = count < 2;
    this.showFrame(Number.isFinite(number) ? this.indexOf(number) : 0);
    this.measure();
  }

  // The index of the frame whose number is nearest to one that was asked for.
  indexOf(number) {
    const count = frameCount(this.scan);
    if (!this.scan?.numbers) return Math.min(count - 1, Math.max(0, Math.round(number) - frameNumber(this.scan, 0)));
    const away = this.scan.numbers.map((entry) => Math.abs(entry - number));
    return away.indexOf(Math.min(...away)) * (this.scan.every ?? 1);
  }

  showFrame(index) {
    this.index = index;
    const number = frameNumber(this.scan, index);
    this.fields.frame.value = String(index);
    this.fields.frame.setAttribute("aria-valuetext", `frame ${number}`);
    this.fields.number.value = String(number);
    this.poses = poses(this.block, this.scan, index);
    this.corners = this.poses.map((pose) => (pose && Math.min(...pose.size) > 0 ? corners(pose) : null))
      .map((four) => (four?.every((corner) => corner.every(Number.isFinite)) ? four : null));
    this.listSettings();
    if (this.chosen !== null) this.rest();
    this.keep();
    this.later();
  }

  // What a finding or an address names: axes by id; panels by id, or by that of their array or element; a scan.
  light({ panel = null, axis = null, axes = [], panels = [], scan = null, block = null } = {}) {
    const other = this.blocks.findIndex((entry) => entry.block === block);
    if (other >= 0 && this.blocks[other] !== this.block) this.showBlock(other);
    const named = this.block.scans.findIndex((entry) => entry.id !== null && entry.id === scan);
    if (named >= 0 && this.block.scans[named] !== this.scan) this.showScan(named);
    this.litAxes = new Set([axis, ...axes].filter((id) => this.block.axes.some((entry) => entry.id === id)));
    this.litPanels = new Set(this.block.panels.flatMap((entry, place) =>
      (panels.some((id) => [entry.id, entry.array_id, entry.element_id].includes(id)) ? [place] : [])));
    const place = this.block.panels.findIndex((entry, index) => entry.id === panel || index === panel);
    this.choose(place >= 0 ? place : null);
  }

  choose(place) {
    this.chosen = place;
    this.fields.panel.value = place === null ? "" : String(place);
    for (const name of ["fast", "slow"]) {
      const size = place === null ? 0 : this.block.panels[place].size[name === "fast" ? 0 : 1] ?? 0;
      this.fields[name].disabled = place === null;
      this.fields[name].max = String(Math.max(0, size - 1));
      this.fields[name].value = place === null ? "" : String(Math.floor((size - 1) / 2));
    }
    if (place === null) this.tell(this.summary());
    else this.tellPixel(place, Number(this.fields.fast.value), Number(this.fields.slow.value));
    this.keep();
    this.later();
  }

  // ---- words

  summary() {
    const lost = this.block.panels.length - this.corners.filter(Boolean).length;
    const parts = [`${this.block.panels.length} ${this.block.panels.length === 1 ? "panel" : "panels"}`];
    if (lost) parts.push(`${lost} of them cannot be drawn`);
    if (this.block.not_placed?.length) parts.push(`${this.block.not_placed.length} more cannot be placed`);
    const lit = [...this.litAxes, ...[...this.litPanels].slice(0, 5).map((place) => this.block.panels[place].id)];
    const marked = lit.length ? ` Marked: ${lit.join(", ")}.` : "";
    return `${parts.join(", ")}.${marked} Point at a panel, or choose one, for pixel, place and resolution.`;
  }

  tellPixel(place, fast, slow) {
    const pose = this.poses[place], panel = this.block.panels[place];
    if (!pose || !Number.isFinite(fast) || !Number.isFinite(slow)) return this.tell(this.summary());
    const at = placeOf(pose, fast, slow);
    const { twoTheta, resolution } = scattering(at, this.beam, this.wavelength);
    const d = resolution === null ? "" : `, d ${shown(resolution, resolution < 10 ? 3 : 1)} Å`;
    this.mark = at;
    return this.tell(
      `Panel ${panel.id}, pixel ${Math.round(fast)} fast, ${Math.round(slow)} slow: ` +
      `${at.map((value) => shown(value, 3)).join(", ")} mm, 2θ ${shown(twoTheta, 2)}°${d}`,
    );
  }

  tell(text) {
    if (this.fields.readout.textContent !== text) this.fields.readout.textContent = text;
  }

  // The settings of the axes in this frame, as a table beside the picture.
  listSettings() {
    const every = this.scan?.every ?? 1;
    const rows = (this.scan?.settings ?? []).map((entry) => {
      const axis = this.block.axes[entry.axis];
      const value = settingsAt({ settings: [entry], every }, this.index).get(entry.axis);
      const unitOf = axis.type === "translation" ? "mm" : "°";
      return element("tr", {}, element("th", { scope: "row" }, axis.id), element("td", {}, axis.equipment || "general"),
        element("td", { class: "number" }, Number.isFinite(value) ? `${shown(value, 4)} ${unitOf}` : "not readable"));
    });
    this.fields.settings.replaceChildren(...rows);
    this.fields.settings.closest("div").hidden = rows.length === 0;
  }

  // ---- controls

  build() {
    const labelled = (text, field) => element("label", {}, element("span", {}, text), field);
    const on = (listen) => ({ listen });
    const fields = this.fields = {
      block: element("select", on({ change: () => this.showBlock(Number(fields.block.value)) })),
      scan: element("select", on({ change: () => this.showScan(Number(fields.scan.value)) })),
      frame: element("input", {
        type: "range", min: "0", value: "0", ...on({ input: () => this.showFrame(Number(fields.frame.value)) }),
      }),
      number: element("input", {
        type: "number", ...on({ change: () => this.showFrame(this.indexOf(Number(fields.number.value))) }),
      }),
      panel: element("select", on({
        change: () => this.choose(fields.panel.value === "" ? null : Number(fields.panel.value)),
      })),
      readout: element("output", { class: "instrument-readout", role: "status" }),
      settings: element("tbody"),
    };
    for (const name of ["fast", "slow"]) {
      const look = () => {
        this.tellPixel(this.chosen, Number(fields.fast.value), Number(fields.slow.value));
        this.later();
      };
      fields[name] = element("input", { type: "number", min: "0", step: "1", ...on({ input: look }) });
    }
    const views = element("fieldset", { class: "instrument-views" }, element("legend", {}, "View"));
    this.buttons = Object.entries(VIEWS).map(([view, text]) => {
      const press = () => this.look(view);
      return element("button", { type: "button", "data-view": view, "aria-pressed": "false", ...on({ click: press }) }, text);
    });
    const steps = [["−", "Zoom out", 1 / ZOOM], ["+", "Zoom in", ZOOM]].map(([sign, name, factor]) =>
      element("button", { type: "button", "aria-label": name, ...on({ click: () => this.zoomBy(factor) }) }, sign));
    views.append(...this.buttons, ...steps);
    this.canvas = element("canvas", {
      role: "img", tabindex: "0",
      "aria-label": "Drawing of the instrument. Arrow keys turn it, plus and minus change its size.",
      ...on({
        keydown: (event) => this.key(event), pointerdown: (event) => this.press(event),
        pointermove: (event) => this.move(event), pointerup: () => (this.drag = null),
        pointercancel: () => (this.drag = null), pointerleave: () => this.rest(), click: (event) => this.pick(event),
        wheel: (event) => this.wheel(event),
      }),
    });
    const head = ["Axis", "Belongs to", "Setting"].map((text) => element("th", { scope: "col" }, text));
    const table = element("table", { class: "instrument-settings" },
      element("caption", {}, "Settings at the start of this frame"), element("thead", {}, element("tr", {}, ...head)),
      fields.settings);
    this.host.replaceChildren(
      element("div", { class: "instrument-controls" }, labelled("Block", fields.block), labelled("Scan", fields.scan),
        labelled("Frame", fields.frame), labelled("Frame number", fields.number)),
      element("figure", { class: "instrument-figure" }, this.canvas,
        element("figcaption", {},
          "● first pixel, → fast and ⇢ slow direction, × direct beam. Panels are blue as the sample sees them, grey from behind.")),
      fields.readout, views,
      element("div", { class: "instrument-controls" }, labelled("Panel", fields.panel),
        labelled("Pixel, fast", fields.fast), labelled("Pixel, slow", fields.slow)),
      element("div", { class: "instrument-scroll", tabindex: "0", role: "region", "aria-label": "Settings of axes" }, table));
    this.fill(fields.block, this.blocks.map((block, place) => [block.block, place]));
  }

  observe() {
    const redraw = () => this.later();
    new ResizeObserver(redraw).observe(this.canvas);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redraw);
    document.addEventListener("imgcif-show", (event) => this.light(event.detail));
  }

  // Tell whoever keeps the state, such as the address of the page.
  keep() {
    const panel = this.chosen === null ? null : this.block.panels[this.chosen].id;
    const detail = {
      block: this.blocks.length > 1 ? this.block.block : null, scan: this.scan?.id ?? null,
      frame: this.index ? frameNumber(this.scan, this.index) : null, view: this.view === "free" ? null : this.view, panel,
    };
    this.host.dispatchEvent(new CustomEvent("imgcif-state", { detail, bubbles: true }));
  }

  // ---- the eye

  // Turn to a standard view; directions of the screen are right, up, and towards the eye.
  look(view) {
    this.view = view;
    this.zoom = 1;
    this.shift = [0, 0];
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    const towards = { beam: scaled(this.beam, -1), top: this.up, side: unit(cross(this.up, this.beam)) };
    if (view === "free") {
      this.face(scaled(this.beam, -1), this.up);
      this.turn(-35, 20);
      this.view = "free";
      this.buttons[0].setAttribute("aria-pressed", "true");
    } else this.face(towards[view], view === "top" ? scaled(this.beam, 1) : this.up);
    this.measure();
    this.keep();
    this.later();
  }

  face(towards, up) {
    const right = unit(cross(up, towards));
    this.eye = [right, unit(cross(towards, right)), unit(towards)];
  }

  // Turn the scene about the vertical and horizontal of the screen, degrees.
  turn(about, over) {
    const [a, o] = [about, over].map((angle) => (angle * Math.PI) / 180);
    const [right, up, back] = this.eye;
    const side = add(scaled(right, Math.cos(a)), scaled(back, Math.sin(a)));
    const away = add(scaled(back, Math.cos(a)), scaled(right, -Math.sin(a)));
    this.eye = [side, add(scaled(up, Math.cos(o)), scaled(away, -Math.sin(o))), add(scaled(away, Math.cos(o)), scaled(up, Math.sin(o)))];
    this.view = "free";
    for (const button of this.buttons) button.setAttribute("aria-pressed", "false");
    this.later();
  }

  zoomBy(factor) {
    this.zoom = Math.min(200, Math.max(0.05, this.zoom * factor));
    this.later();
  }

  // What has to be in sight: the sample, the beam before it, and all panels.
  measure() {
    const points = [[0, 0, 0], ...this.corners.flatMap((four) => four ?? []), ...(this.others?.places(this) ?? [])];
    this.span = Math.max(1, ...points.map(length));
    if (!this.eye) return;
    points.push(scaled(this.beam, -0.35 * this.span));
    const flat = points.map((point) => this.eye.map((axis) => dot(axis, point)));
    const low = [0, 1].map((side) => Math.min(...flat.map((point) => point[side])));
    const high = [0, 1].map((side) => Math.max(...flat.map((point) => point[side])));
    this.sight = {
      middle: [0, 1].map((side) => (low[side] + high[side]) / 2), size: [0, 1].map((side) => high[side] - low[side]),
    };
  }

  scale() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const room = [0.5 * this.span, 0.5 * this.span];
    const size = this.sight.size.map((value, side) => Math.max(value, room[side] * 0.4));
    return 0.82 * this.zoom * Math.min(width / size[0], height / size[1]);
  }

  // A place in the laboratory on the canvas: x, y in its pixels, and the height towards the eye.
  project(point) {
    const scale = this.scale(), { clientWidth: width, clientHeight: height } = this.canvas;
    const [x, y, z] = this.eye.map((axis) => dot(axis, point));
    return [
      width / 2 + this.shift[0] + scale * (x - this.sight.middle[0]),
      height / 2 + this.shift[1] - scale * (y - this.sight.middle[1]), z,
    ];
  }

  // The panel below a place of the canvas that is nearest to the eye, with the pixel: null beside all.
  under(x, y) {
    const scale = this.scale(), { clientWidth: width, clientHeight: height } = this.canvas;
    const right = (x - width / 2 - this.shift[0]) / scale + this.sight.middle[0];
    const up = -(y - height / 2 - this.shift[1]) / scale + this.sight.middle[1];
    const start = add(scaled(this.eye[0], right), scaled(this.eye[1], up)), ray = scaled(this.eye[2], -1);
    let nearest = null;
    this.poses.forEach((pose, place) => {
      const at = this.corners[place] ? met(pose, start, ray) : null;
      if (at && holds(pose, at) && (!nearest || at.reach < nearest.reach)) nearest = { ...at, place };
    });
    return nearest;
  }

  // ---- hands

  key(event) {
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] };
    if (event.key in turns) this.turn(...turns[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(ZOOM);
    else if (event.key === "-") this.zoomBy(1 / ZOOM);
    else return;
    event.preventDefault();
  }

  press(event) {
    this.drag = { x: event.clientX, y: event.clientY, far: 0 };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (this.drag) {
      const [x, y] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
      this.drag = { x: event.clientX, y: event.clientY, far: this.drag.far + Math.abs(x) + Math.abs(y) };
      if (this.drag.far < 4) return;
      this.wasDragged = true;
      if (event.shiftKey) {
        this.shift = [this.shift[0] + x, this.shift[1] + y];
        this.later();
      } else this.turn(0.4 * x, 0.4 * y);
      return;
    }
    const at = this.under(event.offsetX, event.offsetY);
    if (at) this.tellPixel(at.place, at.fast, at.slow);
    else this.rest();
    this.hovered = at ? at.place : null;
    this.later();
  }

  rest() {
    this.hovered = null;
    if (this.chosen === null) {
      this.mark = null;
      this.tell(this.summary());
    } else this.tellPixel(this.chosen, Number(this.fields.fast.value), Number(this.fields.slow.value));
    this.later();
  }

  pick(event) {
    if (this.wasDragged) {
      this.wasDragged = false;
      return;
    }
    const at = this.under(event.offsetX, event.offsetY);
    this.choose(at ? at.place : null);
    if (!at) return;
    this.fields.fast.value = String(Math.round(at.fast));
    this.fields.slow.value = String(Math.round(at.slow));
    this.tellPixel(at.place, at.fast, at.slow);
  }

  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    this.zoomBy(event.deltaY < 0 ? ZOOM : 1 / ZOOM);
  }

  // ---- the drawing

  later() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  draw() {
    const { canvas } = this, ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height || !this.sight) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = this.pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.host);
    this.ink = (name) => style.getPropertyValue(`--view-${name}`).trim() || "gray";
    pen.font = `13px ${style.fontFamily || "sans-serif"}`;
    pen.lineJoin = "round";
    const parts = [...this.faces(), ...this.rays(), ...(this.others?.paint(this) ?? [])].sort((one, other) => one.depth - other.depth);
    for (const part of parts) part.paint();
    this.marks();
  }

  // The panels, each as something to paint at its depth.
  *faces() {
    for (const [place, four] of this.corners.entries()) {
      if (!four) continue;
      const flat = four.map((corner) => this.project(corner));
      // The face that the sample sees has the colour of panels, the other one that of backs.
      const pose = this.poses[place], normal = cross(pose.fast, pose.slow);
      const front = dot(normal, this.eye[2]) * dot(normal, pose.origin) <= 0;
      const isLit = place === this.chosen || place === this.hovered || this.litPanels.has(place);
      const paint = () => {
        this.path(flat, true);
        this.pen.fillStyle = this.ink(isLit ? "lit" : front ? "panel" : "back");
        this.pen.fill();
        this.pen.lineWidth = isLit ? 3 : 1;
        this.pen.strokeStyle = this.ink(isLit ? "mark" : "edge");
        this.pen.stroke();
        if (isLit || this.block.panels.length <= 12) this.directions(flat);
      };
      yield { depth: flat.reduce((sum, point) => sum + point[2], 0) / 4, paint };
    }
  }

  // The first pixel of a panel, and where fast and slow run from it.
  directions(flat) {
    const [first, fast, , slow] = flat;
    for (const [end, dash] of [[fast, []], [slow, [4, 3]]]) {
      const tip = [0, 1].map((side) => first[side] + 0.3 * (end[side] - first[side]));
      this.arrow(first, tip, this.ink("ink"), 1.5, dash);
    }
    this.pen.beginPath();
    this.pen.arc(first[0], first[1], 4, 0, 2 * Math.PI);
    this.pen.fillStyle = this.ink("ink");
    this.pen.fill();
  }

  // The beam in pieces, so that panels hide what lies behind them, and the axes of the goniometer.
  *rays() {
    const reach = Math.max(...this.reaches(), 0.3 * this.span);
    const piece = (from, to, ink, width, tip, label) => {
      const [start, end] = [this.project(from), this.project(to)];
      const paint = () => {
        if (tip) this.arrow(start, end, ink, width);
        else this.line(start, end, ink, width);
        if (label) this.label(label, end, ink);
      };
      return { depth: (start[2] + end[2]) / 2, paint };
    };
    const beam = this.ink("beam"), before = scaled(this.beam, -0.35 * this.span);
    yield piece(before, scaled(this.beam, -0.02 * this.span), beam, 2.5, true);
    yield piece(before, before, beam, 0, false, "beam");
    for (let step = 0; step < 8; step += 1) {
      yield piece(scaled(this.beam, (reach * step) / 8), scaled(this.beam, (reach * (step + 1)) / 8), beam, 1, false);
    }
    const settings = settingsAt(this.scan, this.index), size = 0.2 * this.span;
    const rows = [...new Set([...(this.block.carriers?.goniometer ?? []), ...this.litRows()])];
    for (const row of rows) {
      const axis = this.block.axes[row], placed = placement(this.block, row, settings, ownTurn(this.block.axes[row], row));
      if (!placed || !axis.direction || !length(axis.direction)) continue;
      const along = scaled(turned(placed.rotation, axis.direction), size);
      // An axis of which a number cannot be read is told beside the drawing, and not drawn.
      if (![...along, ...placed.translation].every(Number.isFinite) || axis.direction.includes(null)) continue;
      const middle = axis.type === "rotation" ? placed.translation : subtract(placed.translation, scaled(along, 0.5));
      const isLit = this.litAxes.has(axis.id);
      const ink = this.ink(isLit ? "mark" : "axis");
      yield piece(subtract(middle, scaled(along, 0.4)), middle, ink, isLit ? 4 : 1.5, false);
      yield piece(middle, add(middle, along), ink, isLit ? 4 : 2, true, axis.id);
    }
  }

  litRows() {
    return this.block.axes.flatMap((axis, row) => (this.litAxes.has(axis.id) ? [row] : []));
  }

  // How far the beam runs until it meets panels.
  reaches() {
    return this.poses.map((pose, place) => {
      const at = this.corners[place] ? met(pose, [0, 0, 0], this.beam) : null;
      return at && at.reach > 0 && holds(pose, at) ? at.reach : 0;
    });
  }

  // What is never hidden: sample, direct beam, the pixel in question, the directions of the laboratory.
  marks() {
    const sample = this.project([0, 0, 0]);
    this.pen.beginPath();
    this.pen.arc(sample[0], sample[1], 5, 0, 2 * Math.PI);
    this.pen.fillStyle = this.ink("sample");
    this.pen.fill();
    this.label("sample", sample, this.ink("ink"), [8, 16]);
    for (const reach of this.reaches().filter((value) => value > 0)) this.cross(this.project(scaled(this.beam, reach)), this.ink("beam"));
    if (this.mark && (this.hovered !== null || this.chosen !== null)) this.cross(this.project(this.mark), this.ink("mark"), 8);
    const corner = [44, 48];
    ["X", "Y", "Z"].forEach((name, index) => {
      const along = [0, 1, 2].map((part) => (part === index ? 1 : 0));
      const end = [corner[0] + 28 * dot(this.eye[0], along), corner[1] - 28 * dot(this.eye[1], along)];
      this.arrow(corner, end, this.ink("ink"), 1.5);
      this.label(name, end, this.ink("ink"), [4, -3]);
    });
    if (this.block.gravity) {
      const down = unit(this.block.gravity), start = [this.canvas.clientWidth - 44, this.canvas.clientHeight - 60];
      const end = [start[0] + 30 * dot(this.eye[0], down), start[1] - 30 * dot(this.eye[1], down)];
      this.arrow(start, end, this.ink("ink"), 1.5);
      this.label("gravity", end, this.ink("ink"), [-20, 16]);
    }
  }
}

// Fetch the geometry of an element and show it; what goes wrong is said in its place.
export async function mount(host) {
  try {
    const answer = await fetch(host.dataset.geometry, { headers: { Accept: "application/json" } });
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.detail ?? answer.statusText);
    const state = Object.fromEntries(new URLSearchParams(location.search));
    host.view = new InstrumentView(host, data, state);
    host.dispatchEvent(new CustomEvent("imgcif-ready"));
    if (host.dataset.address !== undefined) host.addEventListener("imgcif-state", (event) => keepAddress(event.detail));
  } catch (error) {
    host.replaceChildren(element("p", { role: "alert" }, `The instrument cannot be drawn: ${error.message}`));
  }
}

function keepAddress(state) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(state)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, String(value));
  }
  history.replaceState(history.state, "", address);
}

for (const host of document.querySelectorAll("[data-geometry]")) mount(host);
