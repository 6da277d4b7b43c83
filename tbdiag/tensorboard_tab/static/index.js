// What TensorBoard calls to fill the tab's frame.

import {App} from './app.js';
import {followTheme} from './theme.js';

export async function render() {
  const sheets = ['./vendor/uPlot.min.css', './colors.css', './style.css'].map(stylesheet);
  document.documentElement.lang = 'en';
  document.title = 'Diagnosis';
  followTheme();
  await Promise.all(sheets);
  const app = new App(document.body);
  await app.start();
}

// Resolves when the sheet applies, or cannot be had: the tab works without.
function stylesheet(path) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL(path, import.meta.url).href;
  return new Promise((done) => {
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}
