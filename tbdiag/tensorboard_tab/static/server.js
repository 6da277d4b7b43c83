// The answers of the plugin's own paths, wherever TensorBoard is served.

export class Refusal extends Error {}

export function address(path, base = import.meta.url) {
  return new URL(`../${path}`, base);
}

// The answer as values; lists become repeated words. Raises Refusal with the server's sentence.
export async function ask(path, query = {}, options = {}) {
  const url = address(path);
  for (const [key, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== '') url.searchParams.append(key, String(each));
    }
  }
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal('TensorBoard does not answer: is it still running?');
  }
  let told;
  try {
    told = await answer.json();
  } catch {
    throw new Refusal(`TensorBoard answered with ${answer.status}: restart it, tbdiag may have been updated`);
  }
  if (!answer.ok) throw new Refusal(told.error ?? `TensorBoard answered with ${answer.status}`);
  return told;
}

export function rescan(token) {
  return ask('rescan', {}, {method: 'POST', headers: {'X-Tbdiag-Token': token}});
}
