type Child = Node | string | number | null | undefined | false;

type Handlers = {
  readonly [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => void;
};

type Attributes = Handlers & {
  readonly [name: string]: string | number | boolean | null | undefined | ((event: never) => void);
};

/**
 * An element with attributes, handlers (`onclick`) and children. Text is always text: nothing that comes from a sandbox can
 * become markup. A false or missing attribute is left out, a true one has no value.
 */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  append(element, children);
  return element;
}

export function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false)
      parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces what is in an element. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** A button; `kind` is a class of app.css. */
export const button = (label: string, onclick: () => void, kind = '', attributes: Attributes = {}): HTMLButtonElement =>
  h('button', { type: 'button', class: kind, onclick, ...attributes }, label);
