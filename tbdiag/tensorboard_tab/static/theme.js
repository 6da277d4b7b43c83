// Light or dark, as TensorBoard around the frame is.

const DARK = 'dark-mode';

export function followTheme() {
  const body = outside()?.body;
  const take = () => {
    const dark = body ? body.classList.contains(DARK) : matchMedia('(prefers-color-scheme: dark)').matches;
    const theme = dark ? 'dark' : 'light';
    if (document.documentElement.dataset.theme !== theme) {
      document.documentElement.dataset.theme = theme;
      document.dispatchEvent(new Event('themechange'));
    }
  };
  take();
  if (body) {
    const watch = new MutationObserver(take);
    watch.observe(body, {attributes: true, attributeFilter: ['class']});
    addEventListener('pagehide', () => watch.disconnect());
  }
}

// The document around the frame, where the browser lets us see it.
export function outside() {
  try {
    return window.parent === window ? null : window.parent.document;
  } catch {
    return null;
  }
}

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
