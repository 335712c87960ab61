// Whether one sees where the focus is. Runs in the page.

/** Where the focus is: on the body, which is once around, or on an element, with what is wrong with how it shows. */
export function focusStop(): { around: boolean; fault: string | null } {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return { around: true, fault: null };
  const stop = (fault: string | null) => ({ around: false, fault });
  const name = `${focused.localName}#${focused.id}.${focused.className} "${focused.textContent?.trim().slice(0, 30)}"`;
  const style = getComputedStyle(focused);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  // a summary of errors takes the focus by itself, and is a box that nobody overlooks
  if (!ring && focused.id !== "form-errors" && focused.localName !== "main") return stop(`${name} shows no focus`);
  const box = focused.getBoundingClientRect();
  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return stop(`${name} is out of sight`);
  // some point of it must be on top
  const inside = (low: number, high: number, part: number) => low + (high - low) * part;
  const top = Math.max(box.top, 0);
  const bottom = Math.min(box.bottom, innerHeight);
  const left = Math.max(box.left, 0);
  const right = Math.min(box.right, innerWidth);
  for (const [x, y] of [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]) {
    const hit = document.elementFromPoint(inside(left, right, x), inside(top, bottom, y));
    if (hit && (focused.contains(hit) || hit.contains(focused))) return stop(null);
  }
  return stop(`${name} is covered`);
}
