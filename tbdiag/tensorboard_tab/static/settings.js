// What the user chose: kept while the tab is open, told to whoever shows it.

export class Settings extends EventTarget {
  constructor() {
    super();
    this.severities = new Set();
    this.rule = '';
    this.pattern = '';
    this.smoothing = 0;
    this.axis = 'step';
    this.sort = 'worst';
    this.descending = false;
    this.picked = [];
  }

  // Tells listeners of `what` changed: 'filter', 'sort', 'curves' or 'picked'.
  set(what, values) {
    Object.assign(this, values);
    this.dispatchEvent(new CustomEvent(what));
  }

  // What the matrix and the list of runs ask the server for.
  query() {
    return {severity: [...this.severities], rule: this.rule, pattern: this.pattern};
  }

  get filtered() {
    return Boolean(this.severities.size || this.rule || this.pattern);
  }

  toggleSeverity(severity) {
    const severities = new Set(this.severities);
    if (!severities.delete(severity)) severities.add(severity);
    this.set('filter', {severities});
  }

  togglePicked(run) {
    const picked = this.picked.includes(run) ? this.picked.filter((each) => each !== run) : [...this.picked, run].slice(-5);
    this.set('picked', {picked});
  }

  clear() {
    this.set('filter', {severities: new Set(), rule: '', pattern: ''});
  }
}
