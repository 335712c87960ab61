// The only script of most pages. It wakes the islands of a page that has any, keeps relative times fresh, lets
// buttons copy, and catches the keyboard's shortcuts. No state, no inline code: the content security policy stays static.

// --- islands: the wasm is loaded only where an island waits for it ------------------------------------------------

async function wakeIslands() {
  const app = await import("/pkg/__APP__.js");
  await app.default({ module_or_path: "/pkg/__APP__.wasm" });
  app.hydrate();

  // islands inside the children of another find their owner through the innermost of these
  const owners = [];
  async function walk(element) {
    const tag = element.localName;
    if (tag === "leptos-island") {
      const wake = app[element.dataset.component];
      if (wake) {
        owners.at(-1)?.();
        await wake(element);
      } else {
        console.warn(`no island ${element.dataset.component} in this build: reload the page`);
      }
    }
    if (tag === "leptos-children") owners.push(element.$$on_hydrate);
    for (const child of [...element.children]) await walk(child);
    if (tag === "leptos-children") owners.pop();
  }
  await walk(document.body);
}

if (document.querySelector("leptos-island")) {
  // a page that is only prepared must not open live connections
  if (document.prerendering) document.addEventListener("prerenderingchange", wakeIslands, { once: true });
  else wakeIslands();
}

// --- <a data-palette>: search, as a palette over the page; its script is loaded when it is first asked for ----------

const search = document.querySelector("a[data-palette]");

async function openPalette() {
  try {
    (await import("/pkg/__PALETTE__")).openPalette();
  } catch {
    location.assign(search.href); // another version is served by now, or nothing is: the page can say which
  }
}

search?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // in another tab
  event.preventDefault();
  openPalette();
});

// --- shortcuts: listed on /shortcuts, and switched off there --------------------------------------------------------

if (search && document.documentElement.dataset.shortcuts !== "off") {
  const command = /Mac|iP(hone|ad|od)/.test(navigator.platform);
  if (command) for (const key of document.querySelectorAll("[data-mod-key]")) key.textContent = "⌘ K";
  let going = 0; // since when a g waits for the next key
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const alone = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!alone) {
      const one = command ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
      if (!one || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      return openPalette();
    }
    if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
    const goes = Date.now() - going < 1500;
    going = 0;
    if (goes) document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`)?.click();
    else if (event.key === "g") going = Date.now();
    else if (event.key === "?") location.assign("/shortcuts");
    else if (event.key === "/") {
      event.preventDefault();
      openPalette();
    }
  });
}

// --- <time datetime="…" data-relative>: "3 min ago", every half minute --------------------------------------------

const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [30 * 86400, "d", 86400]];

function relative(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 5) return "just now";
  const step = STEPS.find(([limit]) => distance < limit);
  if (!step) return null; // so far away the server's date says more
  const amount = `${Math.floor(distance / step[2])} ${step[1]}`;
  return seconds < 0 ? `in ${amount}` : `${amount} ago`;
}

function refreshTimes() {
  for (const time of document.querySelectorAll("time[datetime][data-relative]")) {
    const text = relative((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (text && text !== time.textContent) time.textContent = text;
  }
}
setInterval(refreshTimes, 30_000);
document.addEventListener("visibilitychange", refreshTimes);

// --- Escape puts away what shows while one points at it, until one points elsewhere ------------------------------

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.documentElement.dataset.quiet = "";
});
for (const moved of ["mouseover", "focusin"]) {
  document.addEventListener(moved, () => delete document.documentElement.dataset.quiet);
}

// --- <button data-copy="text"> or <button data-copy-from="id"> -----------------------------------------------------

// it has to be there before it speaks, or a screen reader does not listen to it
const status = document.createElement("p");
status.setAttribute("role", "status");
status.className = "sr-only";
document.body.append(status);

const labels = new WeakMap();

async function copy(button) {
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom)?.textContent ?? "";
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    said = "Copy failed — select the text instead"; // refused, or not offered: browsers want https or localhost
  }
  const label = button.querySelector("[data-copy-label]") ?? button;
  const running = labels.get(label);
  clearTimeout(running?.timer);
  const before = running?.before ?? label.textContent;
  label.textContent = status.textContent = said;
  const timer = setTimeout(() => {
    label.textContent = before;
    status.textContent = "";
    labels.delete(label);
  }, 2000);
  labels.set(label, { before, timer });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-copy], button[data-copy-from]");
  if (button) copy(button);
});

// --- <div id="…" data-follow>: a part of a page that keeps up with what happens -------------------------------------

async function follow() {
  const old = document.querySelector("[data-follow]");
  if (!old) return;
  // whoever has pointed at text or opened a menu in it is not disturbed, nor is a page asked for that nobody sees
  if (!document.hidden && getSelection().isCollapsed) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && !answer.redirected && page.getElementById(old.id);
      if (fresh && document.contains(old)) {
        const focused = old.contains(document.activeElement) && document.activeElement.textContent;
        const ended = !fresh.hasAttribute("data-follow");
        old.replaceWith(document.adoptNode(fresh));
        const again = [...fresh.querySelectorAll("a, button")].find((one) => one.textContent === focused);
        if (focused) (again ?? document.getElementById("main")).focus({ preventScroll: true });
        if (ended) status.textContent = fresh.querySelector("[data-said]")?.textContent ?? "Done";
        refreshTimes();
      }
    } catch {
      // the server is away: it may come back
    }
  }
  setTimeout(follow, 2000);
}
if (document.querySelector("[data-follow]")) setTimeout(follow, 1000);
