/* dom.js: makes elements, and brings what is shown in line with what was made, so that focus, open details and half-typed
 * texts survive new data. Text is only ever set as text. */

/** @typedef {Node | string | number | null | undefined | false | readonly Child[]} Child */
/** @typedef {Record<string, any>} Props */

/** Listeners by element, to be taken over by the element that stays. @type {WeakMap<Element, Record<string, any>>} */
const listeners = new WeakMap();
/** Elements that look after their own content, as charts do. @type {WeakSet<Node>} */
const own = new WeakSet();
/** What stands for such an element in a tree that was made anew: the element itself stays in the page, with its focus.
 *  @type {WeakMap<Node, Node>} */
const standIns = new WeakMap();
const LIVE = ['value', 'checked', 'open', 'selected'];

/** Makes an element. Properties that begin with `on` are listeners, `class` and others attributes; false, null and undefined
 *  leave an attribute out. `key`: elements with the same key stay the same when their order changes.
 *  @param {string} tag
 *  @param {Props | null} [props]
 *  @param {...Child} children
 *  @returns {HTMLElement} */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith('on')) {
      /** @type {*} */ (node)[name] = value;
      listeners.set(node, { ...listeners.get(node), [name]: value });
    } else if (name === 'key') node.dataset.key = String(value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  append(node, children);
  return node;
}

/** Leaves an element's content to who made it.
 *  @template {HTMLElement} Kept
 *  @param {Kept} node
 *  @returns {Kept} */
export function keep(node) {
  own.add(node);
  return node;
}

/** Shows children in `root`; what is there already and fits stays.
 *  @param {Element} root
 *  @param {...Child} children */
export function show(root, ...children) {
  const made = document.createElement(root.tagName);
  append(made, children);
  patchChildren(root, made);
}

/** @param {Node} parent @param {readonly Child[]} children */
function append(parent, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.appendChild(own.has(child) && child.isConnected ? standInFor(child) : child);
    else if (child !== null && child !== undefined && child !== false) {
      parent.appendChild(document.createTextNode(String(child)));
    }
  }
}

/** @param {Node} node */
function standInFor(node) {
  const standIn = document.createComment('');
  standIns.set(standIn, node);
  return standIn;
}

/** Puts what is stood for in its place, in a tree that goes into the page whole. @param {Node} made @returns {Node} */
function settled(made) {
  const kept = standIns.get(made);
  if (kept) return kept;
  for (const child of [...made.childNodes]) {
    const real = settled(child);
    if (real !== child) made.replaceChild(real, child);
  }
  return made;
}

/** @param {Node} node */
function keyOf(node) {
  // Not `node.id`: of a form with a field of that name, that is the field.
  return node instanceof HTMLElement ? (node.dataset.key ?? (node.getAttribute('id') || undefined)) : undefined;
}

/** @param {Node} there @param {Node} made */
function fits(there, made) {
  return there.nodeName === made.nodeName && keyOf(there) === keyOf(made) && !own.has(there) && !own.has(made);
}

/** @param {Element} root @param {Element} made */
function patchChildren(root, made) {
  /** @type {Map<string, Node>} */
  const keyed = new Map();
  for (const child of root.childNodes) {
    const key = keyOf(child);
    if (key !== undefined) keyed.set(key, child);
  }
  let at = root.firstChild;
  for (const given of [...made.childNodes]) {
    const child = standIns.get(given) ?? given;
    const key = keyOf(child);
    const candidate = key === undefined ? at : keyed.get(key);
    if (own.has(child) || !candidate || !fits(candidate, child)) {
      if (child === at) at = at.nextSibling;
      else root.insertBefore(settled(child), at);
      continue;
    }
    if (candidate === at) at = at.nextSibling;
    else root.insertBefore(candidate, at);
    patch(candidate, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = /** @type {ChildNode | null} */ (next);
  }
}

/** @param {Node} there @param {Node} made */
function patch(there, made) {
  if (!(there instanceof HTMLElement) || !(made instanceof HTMLElement)) {
    if (there.nodeValue !== made.nodeValue) there.nodeValue = made.nodeValue;
    return;
  }
  for (const { name } of [...there.attributes]) {
    if (!made.hasAttribute(name) && !LIVE.includes(name)) there.removeAttribute(name);
  }
  for (const { name, value } of made.attributes) {
    if (!LIVE.includes(name) && there.getAttribute(name) !== value) there.setAttribute(name, value);
  }
  const [before, after] = [listeners.get(there) ?? {}, listeners.get(made) ?? {}];
  for (const name of Object.keys(before)) if (!(name in after)) /** @type {*} */ (there)[name] = null;
  for (const [name, listener] of Object.entries(after)) /** @type {*} */ (there)[name] = listener;
  listeners.set(there, after);
  patchChildren(there, made);
}
