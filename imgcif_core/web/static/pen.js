// Lines, arrows, crosses and words on a canvas: `pen` is its context, `ink(name)` the colour of a kind of thing.
export class Drawing {
  path(points, isClosed) {
    this.pen.beginPath();
    for (const [index, [x, y]] of points.entries()) {
      if (index) this.pen.lineTo(x, y);
      else this.pen.moveTo(x, y);
    }
    if (isClosed) this.pen.closePath();
  }

  line(from, to, ink, width, dash = []) {
    if (!width) return;
    this.path([from, to], false);
    this.pen.setLineDash(dash);
    this.pen.lineWidth = width;
    this.pen.strokeStyle = ink;
    this.pen.stroke();
    this.pen.setLineDash([]);
  }

  arrow(from, to, ink, width, dash = []) {
    this.line(from, to, ink, width, dash);
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (far < 3) return;
    const [x, y] = [(to[0] - from[0]) / far, (to[1] - from[1]) / far], size = Math.min(5 + 1.5 * width, far);
    const back = [to[0] - size * x, to[1] - size * y];
    this.path([to, [back[0] - 0.5 * size * y, back[1] + 0.5 * size * x], [back[0] + 0.5 * size * y, back[1] - 0.5 * size * x]], true);
    this.pen.fillStyle = ink;
    this.pen.fill();
  }

  cross(at, ink, size = 6) {
    this.line([at[0] - size, at[1] - size], [at[0] + size, at[1] + size], ink, 2);
    this.line([at[0] - size, at[1] + size], [at[0] + size, at[1] - size], ink, 2);
  }

  // Words beside a place, with a rim in the colour of the ground so that lines behind do not disturb.
  label(text, at, ink, away = [6, -6]) {
    this.pen.lineWidth = 4;
    this.pen.strokeStyle = this.ink("ground");
    this.pen.strokeText(text, at[0] + away[0], at[1] + away[1]);
    this.pen.fillStyle = ink;
    this.pen.fillText(text, at[0] + away[0], at[1] + away[1]);
  }
}
