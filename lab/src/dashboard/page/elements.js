/** Elements as values, and a way to make a part of the page equal to them without building it anew: focus and scroll stay. */
const SVG_TAGS = new Set(['svg', 'path', 'rect', 'line']);
/** What the reader has set stays: an opened list must not close by itself. */
const READERS_OWN = new Set(['open']);

/**
 * @param {string} tag
 * @param {Record<string, string | number | null | undefined>} attributes null and undefined are left out
 * @param {...(Node | string | null | (Node | string | null)[])} children
 * @returns {Element}
 */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

/**
 * Makes what is inside `parent` equal to `wanted`, touching only what differs.
 * @param {Element} parent
 * @param {readonly (Node | string)[]} wanted
 */
export function fill(parent, wanted) {
  const box = document.createElement('div');
  box.append(...wanted);
  fillChildren(parent, box);
}

/** @param {Node} from @param {Node} to */
function fillChildren(from, to) {
  const old = [...from.childNodes];
  const next = [...to.childNodes];
  for (const [index, node] of next.entries()) {
    const known = old[index];
    if (known === undefined) from.appendChild(node);
    else if (known.nodeName !== node.nodeName) from.replaceChild(node, known);
    else become(known, node);
  }
  for (const left of old.slice(next.length)) from.removeChild(left);
}

/** @param {Node} node @param {Node} like */
function become(node, like) {
  if (!(node instanceof Element) || !(like instanceof Element)) {
    if (node.nodeValue !== like.nodeValue) node.nodeValue = like.nodeValue;
    return;
  }
  for (const name of node.getAttributeNames()) {
    if (!like.hasAttribute(name) && !READERS_OWN.has(name)) node.removeAttribute(name);
  }
  for (const name of like.getAttributeNames()) {
    if (node.getAttribute(name) !== like.getAttribute(name)) node.setAttribute(name, like.getAttribute(name) ?? '');
  }
  fillChildren(node, like);
}
