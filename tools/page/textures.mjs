// Draws the textures of the page into the folder that is named: node tools/page/textures.mjs src/MuseAtelier.Server/Page/wwwroot/textures
// The files are part of the repository; a build needs neither this script nor Node.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];

/** Mulberry32: the same numbers on every machine. */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const round = (value) => Math.round(value * 10) / 10;

function save(name, ...lines) {
  writeFileSync(join(folder, name), lines.join('\n') + '\n');
}

/** Bristles from left to right: even where the brush is set down, ragged where it leaves the paper. */
function bristles({ width, height, count, thick, seed, left, right }) {
  const random = numbers(seed);
  const phases = [random(), random(), random()].map((each) => each * 6.28);
  const wave = (at) => (Math.sin(at * 7.1 + phases[0]) + Math.sin(at * 13.7 + phases[1]) + Math.sin(at * 29.3 + phases[2])) / 3;
  const lines = [];
  for (let index = 0; index < count; index++) {
    const at = index / (count - 1);
    const y = thick / 2 + at * (height - thick);
    const edge = Math.abs(at * 2 - 1);
    const from = left * (0.3 + 0.3 * wave(at)) + random() * 2.5 + edge ** 4 * left * 0.9;
    const to = width - right * 1.6 * (0.6 + 0.45 * wave(at + 3)) - random() * 7 - edge ** 3 * 16 - right * 0.9;
    const bow = (at - 0.5) * thick * 2.4 + random() * thick * 0.16;
    const middle = round((from + to) / 2);
    lines.push(`M${round(from)} ${round(y)}Q${middle} ${round(y + bow)} ${round(to)} ${round(y)}`);
    if (random() < 0.45) {
      const again = to + 3 + random() * right * 0.5;
      const end = Math.min(width - thick * (0.6 + random()), again + right * (0.3 + random() ** 2 * 2.2));
      if (end > again + 2) {
        lines.push(`M${round(again)} ${round(y)}H${round(end)}`);
      }
    }
  }
  return lines;
}

function stroke(name, options) {
  const { width, height, thick } = options;
  save(
    name,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none">`,
    `<path fill="none" stroke="#000" stroke-width="${thick}" stroke-linecap="round" d="`,
    ...bristles(options),
    '"/></svg>');
}

/** A torn edge: a walk that ends where it began, so that it repeats. */
function deckle(name, isLying) {
  const random = numbers(11);
  const points = [];
  let at = 6;
  for (let along = 0; along <= 460; along += 5) {
    points.push([at, along]);
    at = Math.min(10.5, Math.max(3, at + (random() * 2 - 1) * 1.3));
  }
  const last = points.length - 1;
  for (let index = last - 10; index <= last; index++) {
    const share = (index - (last - 10)) / 10;
    points[index][0] = points[index][0] * (1 - share) + points[0][0] * share;
  }
  const place = ([across, along]) => (isLying ? `${along} ${round(12 - across)}` : `${round(across)} ${along}`);
  const lines = points.map((each) => `L${place(each)}`);
  const [width, height] = isLying ? [460, 12] : [12, 460];
  const ends = isLying ? ['M0 12', 'L460 12Z'] : ['M0 0', 'L0 460Z'];
  save(
    name,
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<path d="${ends[0]}`,
    ...lines,
    `${ends[1]}"/></svg>`);
}

/** Noise in one colour: the alpha of a point is gain times the noise, less a floor. */
function noise(id, { frequency, octaves, seed, colour, gain, floor }) {
  const [red, green, blue] = colour;
  return [
    `<filter id="${id}" x="0" y="0" width="1" height="1">`,
    `<feTurbulence type="fractalNoise" baseFrequency="${frequency}" numOctaves="${octaves}" seed="${seed}" stitchTiles="stitch"/>`,
    `<feColorMatrix values="0 0 0 0 ${red}  0 0 0 0 ${green}  0 0 0 0 ${blue}  ${gain} 0 0 0 ${floor}"/></filter>`,
  ];
}

function tile(name, side, opacity, ...layers) {
  save(
    name,
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">`,
    ...layers.flatMap((layer, index) => noise(`n${index}`, layer)),
    ...layers.map((_, index) => `<rect width="${side}" height="${side}" filter="url(#n${index})" opacity="${opacity}"/>`),
    '</svg>');
}

const thread = { octaves: 2, gain: 2.2, floor: -0.95 };
for (const [name, colour, opacity] of [['linen-day.svg', [0.36, 0.27, 0.14], 0.2], ['linen-night.svg', [0, 0, 0], 0.27]]) {
  tile(
    name, 320, opacity,
    { ...thread, colour, frequency: '.022 .62', seed: 4 },
    { ...thread, colour, frequency: '.62 .022', seed: 9 });
}
tile('paper.svg', 240, 0.22, { frequency: '.55', octaves: 2, seed: 2, colour: [0.35, 0.27, 0.16], gain: 1.2, floor: -0.55 });
tile('wood.svg', 320, 0.55, { frequency: '.006 .19', octaves: 3, seed: 7, colour: [0.1, 0.05, 0.02], gain: 1.9, floor: -0.7 });
tile('wood-standing.svg', 320, 0.55, { frequency: '.19 .006', octaves: 3, seed: 7, colour: [0.1, 0.05, 0.02], gain: 1.9, floor: -0.7 });
deckle('deckle.svg', false);
deckle('deckle-lying.svg', true);
stroke('stroke.svg', { width: 360, height: 68, count: 58, thick: 1.9, seed: 5, left: 26, right: 15 });
stroke('wash.svg', { width: 400, height: 400, count: 74, thick: 6.6, seed: 21, left: 26, right: 12 });
stroke('dab.svg', { width: 120, height: 8, count: 6, thick: 2.3, seed: 3, left: 3, right: 5 });
