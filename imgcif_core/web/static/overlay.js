// The source of a comparison drawn into the view of the file's instrument: its panels as dashed outlines, and the
// axes of its goniometer, both turned into the frame of the file, as they stand at the start of the scan.
import { add, scaled } from "./chains.js";

class Overlay {
  constructor(blocks) {
    this.blocks = blocks;
    this.isShown = true;
  }

  // What the source has for the scan that a view shows: {panels, axes}, null where nothing is like it.
  of(view) {
    const block = this.isShown ? this.blocks.find((entry) => entry.block === view.block.block) : null;
    if (!block) return null;
    const scan = block.scans.find((entry) => entry.scan === view.scan?.id) ?? (block.scans.length === 1 ? block.scans[0] : null);
    return scan && scan.position !== null ? block.positions[scan.position] : null;
  }

  places(view) {
    return this.of(view)?.panels.flatMap((panel) => panel.corners) ?? [];
  }

  *paint(view) {
    const found = this.of(view);
    if (!found) return;
    const ink = view.ink("other");
    for (const panel of found.panels) {
      const flat = panel.corners.map((corner) => view.project(corner));
      const paint = () => {
        view.path(flat, true);
        view.pen.setLineDash([7, 5]);
        view.pen.lineWidth = 2.5;
        view.pen.strokeStyle = ink;
        view.pen.stroke();
        view.pen.setLineDash([]);
        if (found.panels.length <= 12) {
          const tip = [0, 1].map((side) => flat[0][side] + 0.3 * (flat[1][side] - flat[0][side]));
          view.arrow(flat[0], tip, ink, 1.5);
        }
      };
      // In front of what lies at the same place, so that panels that agree show both.
      yield { depth: flat.reduce((sum, point) => sum + point[2], 0) / 4 + 1e-3 * view.span, paint };
    }
    for (const axis of found.axes) {
      const end = view.project(add([0, 0, 0], scaled(axis.vector, 0.34 * view.span))), start = view.project([0, 0, 0]);
      const paint = () => {
        view.arrow(start, end, ink, 1.5, [6, 4]);
        view.label(`${axis.id} (source)`, end, ink, [6, 14]);
      };
      yield { depth: (start[2] + end[2]) / 2, paint };
    }
  }
}

async function lay(host) {
  const answer = await fetch(host.dataset.overlay, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const overlay = new Overlay((await answer.json()).blocks);
  const box = document.getElementById(host.dataset.switch);
  const show = () => {
    overlay.isShown = !box || box.checked;
    host.view.others = overlay;
    host.view.measure();
    host.view.later();
  };
  box?.addEventListener("change", show);
  if (box) box.closest("[hidden]")?.removeAttribute("hidden");
  show();
}

for (const host of document.querySelectorAll("[data-overlay]")) {
  if (host.view) lay(host);
  else host.addEventListener("imgcif-ready", () => lay(host), { once: true });
}
