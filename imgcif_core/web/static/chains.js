// Where panels and axes lie: the chains of axes of imgcif-geometry/2, multiplied for one frame of a scan.
// Laboratory frame of the file, mm, degrees. For a point x in the frame that an axis carries, with its setting s:
// a rotation gives R(direction, s) x + offset, a translation x + s direction + offset, any other axis x + offset.

export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scaled = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a) => Math.hypot(a[0], a[1], a[2]);
export const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

export function unit(a) {
  const size = length(a);
  return size > 0 ? scaled(a, 1 / size) : [0, 0, 0];
}

// A point or direction x after the rotation matrix m, given by rows.
export const turned = (m, x) => [dot(m[0], x), dot(m[1], x), dot(m[2], x)];

const IDENTITY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

// The right-handed rotation about a unit vector; a null vector gives the identity.
export function rotation(axis, degrees) {
  const [x, y, z] = axis;
  if (x === 0 && y === 0 && z === 0) return IDENTITY;
  const angle = (degrees * Math.PI) / 180;
  const c = Math.cos(angle), s = Math.sin(angle), k = 1 - c;
  return [
    [c + x * x * k, x * y * k - z * s, x * z * k + y * s],
    [y * x * k + z * s, c + y * y * k, y * z * k - x * s],
    [z * x * k - y * s, z * y * k + x * s, c + z * z * k],
  ];
}

export function product(a, b) {
  const columns = [0, 1, 2].map((i) => [b[0][i], b[1][i], b[2][i]]);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

// What is null cannot be read, and nothing that rests on it has a place.
const told = (value) => value ?? NaN;
const known = (values) => values.map(told);

// How many frames a scan can be asked for, and the number of the frame of an index.
export const frameCount = (scan) => Math.max(1, scan?.count ?? scan?.frames ?? 1);

export function frameNumber(scan, index) {
  const every = scan?.every ?? 1;
  return scan?.numbers?.[Math.floor(index / every)] ?? (scan?.first_number ?? 1) + index;
}

// The setting of one axis at the start of the frame of an index, counted from 0.
export function settingAt(setting, index, every = 1) {
  if (setting.values) return told(setting.values[Math.floor(index / every)]);
  return told(setting.start) + (index ? index * told(setting.step) : 0);
}

// Settings by the place of the axis in its block, at the start of one frame of a scan.
export function settingsAt(scan, index) {
  const found = new Map();
  for (const setting of scan?.settings ?? []) found.set(setting.axis, settingAt(setting, index, scan.every));
  return found;
}

// Where the frame that an axis carries lies: {rotation, translation}; null where its chain is not told.
export function placement(block, row, settings, own = null) {
  const route = block.axes[row]?.route;
  if (!route) return null;
  let turn = IDENTITY, shift = [0, 0, 0];
  for (const [step, added] of route) {
    const axis = block.axes[step];
    const setting = (own?.get(step) ?? settings.get(step) ?? 0) + told(added);
    const direction = known(axis.direction), offset = known(axis.offset);
    if (axis.type === "rotation") {
      const matrix = rotation(direction, setting);
      turn = product(matrix, turn);
      shift = add(turned(matrix, shift), offset);
    } else {
      shift = add(shift, axis.type === "translation" ? add(offset, scaled(direction, setting)) : offset);
    }
  }
  return { rotation: turn, translation: shift };
}

// Where the first pixel's centre of a panel lies, and the steps to the next one: {origin, fast, slow, size}.
export function pose(block, panel, settings) {
  const { fast, slow } = panel;
  const own = new Map([[fast.axis, told(fast.displacement)], [slow.axis, told(slow.displacement)]]);
  const onFast = placement(block, fast.axis, settings, own), onSlow = placement(block, slow.axis, settings, own);
  if (!onFast || !onSlow) return null;
  const along = known(block.axes[fast.axis].direction), down = known(block.axes[slow.axis].direction);
  let origin = panel.first === "slow" ? onSlow.translation : onFast.translation;
  if (panel.first === "both") {
    const local = add(known(block.axes[slow.axis].offset), scaled(down, told(slow.displacement)));
    origin = add(onFast.translation, turned(onFast.rotation, local));
  }
  return {
    origin,
    fast: scaled(turned(onFast.rotation, along), told(fast.increment)),
    slow: scaled(turned(onSlow.rotation, down), told(slow.increment)),
    size: [panel.size[0] ?? 0, panel.size[1] ?? 0],
  };
}

// The poses of all panels of a block at the start of one frame of a scan; null for those without a chain.
export function poses(block, scan, index) {
  const settings = settingsAt(scan, index);
  return block.panels.map((panel) => pose(block, panel, settings));
}

// The place of a pixel index, counted from the first pixel's centre.
export const placeOf = (pose, fast, slow) => add(pose.origin, add(scaled(pose.fast, fast), scaled(pose.slow, slow)));

// The outer corners: first, fast end, far, slow end.
export function corners(pose) {
  const [fast, slow] = pose.size;
  return [[-0.5, -0.5], [fast - 0.5, -0.5], [fast - 0.5, slow - 0.5], [-0.5, slow - 0.5]]
    .map(([along, down]) => placeOf(pose, along, down));
}

// Where a ray meets the plane of a panel: {fast, slow, reach}, reach in lengths of the ray; null if parallel.
export function met(pose, start, ray) {
  const normal = cross(pose.fast, pose.slow);
  const across = dot(ray, normal), area = dot(normal, normal);
  if (!area || Math.abs(across) <= 1e-12 * length(ray) * Math.sqrt(area)) return null;
  const reach = dot(subtract(pose.origin, start), normal) / across;
  const inside = subtract(add(start, scaled(ray, reach)), pose.origin);
  return {
    fast: dot(cross(inside, pose.slow), normal) / area,
    slow: dot(cross(pose.fast, inside), normal) / area,
    reach,
  };
}

export const holds = (pose, at) =>
  at.fast >= -0.5 && at.slow >= -0.5 && at.fast <= pose.size[0] - 0.5 && at.slow <= pose.size[1] - 0.5;

// Two theta in degrees and resolution in angstrom of a place; the resolution is null without one wavelength.
export function scattering(place, beam, wavelength) {
  const sine = length(cross(place, beam)), cosine = dot(place, beam);
  const twoTheta = Math.atan2(sine, cosine);
  const resolution = wavelength > 0 && twoTheta > 0 ? wavelength / (2 * Math.sin(twoTheta / 2)) : null;
  return { twoTheta: (twoTheta * 180) / Math.PI, resolution };
}
