// The palette: the page of search over any other page. Loaded by boot.js when it is first asked for; the dialog and
// the pieces of its list are a part of every page, so this only asks, fills in and moves the choice.
const dialog = document.getElementById("palette");
const form = dialog.querySelector("form");
const input = form.elements.q;
const list = dialog.querySelector("[role=listbox]");
const said = dialog.querySelector("[role=status]");
const piece = (name) => dialog.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);

let options = [];
let chosen = -1;
let asking; // what the request under way, if any, is stopped by
let timer;

// of a token that is pasted only how it begins leaves this page
const safe = (text) => text.replace(/^.*?(trb_[0-9A-Za-z]{0,8}).*$/s, "$1");

function choose(at) {
  options[chosen]?.setAttribute("aria-selected", "false");
  chosen = options.length ? (at + options.length) % options.length : -1;
  const option = options[chosen];
  if (option) {
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function show(groups) {
  options = [];
  const drawn = groups.map((group) => {
    const box = piece("group");
    const title = box.firstElementChild;
    title.textContent = group.title;
    box.setAttribute("aria-label", group.title);
    for (const hit of group.hits) {
      const option = piece("hit");
      option.id = `palette-${options.length}`;
      option.href = hit.href;
      option.querySelector(".hit-title").textContent = hit.title;
      option.querySelector(".hit-detail").textContent = hit.detail;
      options.push(option);
      box.append(option);
    }
    return box;
  });
  list.replaceChildren(...drawn);
  list.hidden = !options.length;
  list.scrollTop = 0;
  input.setAttribute("aria-expanded", String(options.length > 0));
  choose(0);
  const count = options.length === 1 ? "1 result" : `${options.length} results`;
  said.textContent = options.length ? count : "Nothing found";
  said.classList.toggle("sr-only", options.length > 0);
}

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const mine = asking;
  const query = new URLSearchParams({ q: safe(input.value), tenant: form.elements.tenant?.value ?? "" });
  try {
    const answer = await fetch(`/search/suggest?${query}`, {
      headers: { accept: "application/json" },
      signal: mine.signal,
    });
    if (answer.status === 401) return location.reload(); // the session has ended: to the login page
    if (!answer.ok) throw new Error(answer.statusText);
    const { groups } = await answer.json();
    if (mine === asking) {
      asking = undefined;
      show(groups);
    }
  } catch (error) {
    if (error.name === "AbortError" || mine !== asking) return;
    asking = undefined;
    show([]);
    said.textContent = "Search cannot be reached. Enter tries again on a page of its own.";
  }
}

function soon() {
  clearTimeout(timer);
  // a list that no longer answers what is typed must not be opened by Enter
  options[chosen]?.setAttribute("aria-selected", "false");
  input.removeAttribute("aria-activedescendant");
  options = [];
  chosen = -1;
  asking?.abort();
  timer = setTimeout(ask, 60);
}

input.addEventListener("input", () => {
  const short = safe(input.value);
  if (short !== input.value) input.value = short;
  soon();
});

input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) {
    event.preventDefault();
    choose(chosen + moves[event.key]);
  } else if (event.key === "Enter" && options[chosen]) {
    event.preventDefault();
    const option = options[chosen];
    if (event.ctrlKey || event.metaKey) open(option.href, "_blank", "noopener");
    else location.assign(option.href);
  }
});

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
list.addEventListener("pointermove", (event) => {
  const at = options.indexOf(event.target.closest("[role=option]"));
  if (at >= 0 && at !== chosen) choose(at);
});
dialog.addEventListener("close", () => {
  clearTimeout(timer);
  asking?.abort();
  input.setAttribute("aria-expanded", "false");
});

export function openPalette() {
  if (dialog.open) return;
  dialog.showModal();
  input.focus();
  input.select();
  ask();
}
