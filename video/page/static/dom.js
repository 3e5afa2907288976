/* Pieces of the document, made and found. Text goes in as text only: nothing here reads HTML. */

/**
 * @param {string} id
 * @returns {any} the element; it is there, the page was written with it
 */
export function $(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element: ${id}`);
  return found;
}

/**
 * @param {string} tag
 * @param {Record<string, any>} [set] properties; names with a hyphen, and role, are attributes
 * @param {...(Node | string)} inside
 * @returns {any}
 */
export function make(tag, set = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...inside);
  return made;
}

/**
 * Sets the text only when it is another, so that a screen reader says it once.
 * @param {Element} element
 * @param {string} said
 */
export function put(element, said) {
  if (element.textContent !== said) element.textContent = said;
}

/**
 * @param {Element} element
 * @param {boolean} on
 */
export function show(element, on) {
  element.toggleAttribute("hidden", !on);
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An icon of the page's own sheet (the symbols of visit.html).
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("focusable", "false");
  const used = document.createElementNS(SVG, "use");
  used.setAttribute("href", `#i-${name}`);
  drawn.append(used);
  return drawn;
}
