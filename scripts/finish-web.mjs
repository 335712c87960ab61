// The last step of scripts/build-web: from target/web and public/ to dist/.
//
// dist/pkg/ gets everything a page refers to, named by its content (and so cached for ever), with a brotli and a
// gzip copy beside it; dist/ itself gets what must keep its name (/favicon.svg, /robots.txt). Only what differs is
// written and only what is stale is removed: the server is built anew when a file here changes.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

const WORK = "target/web";
const CODE_BUDGET = 90_000;
const CSS_BUDGET = 20_000;
// the variable fonts' Latin subset; style/main.css refers to them as /pkg/inter.woff2 and /pkg/mono.woff2
const FONTS = {
  inter: "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  mono: "node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
};
const ALREADY_PACKED = new Set([".woff2", ".png", ".ico", ".jpg", ".webp"]);

/** Every file of the result, by its path below dist/. */
const files = new Map();
/** What the browser downloads of each file, in bytes. */
const sizes = new Map();

function add(name, bytes) {
  files.set(name, bytes);
  sizes.set(name, bytes.length);
  if (ALREADY_PACKED.has(path.extname(name))) return;
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  const brotli = zlib.brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  files.set(`${name}.br`, brotli);
  files.set(`${name}.gz`, zlib.gzipSync(bytes, { level: 9 }));
  sizes.set(name, brotli.length);
}

const hash = (...parts) => {
  const sum = crypto.createHash("sha256");
  for (const part of parts) sum.update(part);
  return sum.digest("hex").slice(0, 12);
};

/** Adds a file to pkg/ under `stem.HASH.ext`, and returns that name. */
function addHashed(stem, ext, bytes) {
  const name = `${stem}.${hash(bytes)}${ext}`;
  add(`pkg/${name}`, bytes);
  return name;
}

// fonts and pictures of public/ that pages or the style sheet may refer to by their plain name under /pkg/
const named = new Map();
for (const file of fs.readdirSync("public", { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const full = path.join(file.parentPath ?? file.path, file.name);
  const below = path.relative("public", full);
  if (below === file.name) add(below, fs.readFileSync(full));
  else named.set(file.name, full);
}
for (const [stem, full] of Object.entries(FONTS)) if (!named.has(`${stem}.woff2`)) named.set(`${stem}.woff2`, full);

const css = fs.readFileSync(`${WORK}/style.css`, "utf8").replace(/\/pkg\/([\w.-]+)/g, (_, name) => {
  const full = named.get(name);
  if (!full) throw new Error(`style/main.css refers to /pkg/${name}, which is neither a font of package.json nor in public/`);
  const { name: stem, ext } = path.parse(name);
  return `/pkg/${addHashed(stem, ext, fs.readFileSync(full))}`;
});
const style = addHashed("style", ".css", Buffer.from(css));

// one hash over both names the pair: they only work together
const js = fs.readFileSync(`${WORK}/app.js`);
const wasm = fs.readFileSync(`${WORK}/app_bg.opt.wasm`);
const app = `app.${hash(js, wasm)}`;
add(`pkg/${app}.js`, js);
add(`pkg/${app}.wasm`, wasm);
const palette = addHashed("palette", ".js", fs.readFileSync("src/islands/palette.js"));
const boot = addHashed(
  "boot",
  ".js",
  Buffer.from(fs.readFileSync("src/islands/boot.js", "utf8").replaceAll("__APP__", app).replaceAll("__PALETTE__", palette)),
);

// --- the budget of a first load, as brotli ----------------------------------------------------------------------

// the palette is no part of it, but of the first search: it is told, and not counted
const rows = [boot, `${app}.js`, `${app}.wasm`, style, palette].map((name) => [name, sizes.get(`pkg/${name}`)]);
for (const [name, size] of rows) console.log(`    ${name.padEnd(28)} ${String(size).padStart(7)} bytes`);
const code = rows.slice(0, 3).reduce((sum, [, size]) => sum + size, 0);
const within = (what, size, budget) => {
  console.log(`    ${what.padEnd(28)} ${String(size).padStart(7)} of ${budget} bytes`);
  return size <= budget;
};
const fits = [within("code", code, CODE_BUDGET), within("style sheet", rows[3][1], CSS_BUDGET)];
if (fits.includes(false)) {
  console.error("over the budget of a page's first load: take out code or classes, or argue for a larger budget");
  process.exit(1);
}

// --- write what differs, remove what is stale ---------------------------------------------------------------------

fs.mkdirSync("dist/pkg", { recursive: true });
for (const file of fs.readdirSync("dist", { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const full = path.join(file.parentPath ?? file.path, file.name);
  if (!files.has(path.relative("dist", full))) fs.rmSync(full);
}
for (const [name, bytes] of files) {
  const full = path.join("dist", name);
  if (!fs.existsSync(full) || !fs.readFileSync(full).equals(bytes)) fs.writeFileSync(full, bytes);
}
