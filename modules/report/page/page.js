// @ts-check
/* The part of the page that needs a script: the matrix by task. Data is only ever put in as text, never as markup. */
'use strict';

(() => {
  const VERDICTS = ['open', 'refused', 'dropped', 'rejected', 'broken'];
  const OUTCOMES = ['pass', 'policy-wrong', 'slow', 'infrastructure-broken'];
  const MARKS = { 'policy-wrong': '!!', 'infrastructure-broken': '??', slow: '~' };
  const BAD = { 'policy-wrong': 3, 'infrastructure-broken': 2, slow: 1, pass: 0 };

  const report = JSON.parse(document.getElementById('report').textContent);
  const tasks = report.tasks;

  /** Without characters that nobody can see and that turn text around: the data is as it was measured. */
  function clean(text) {
    const harmful = /\p{Cc}\[[0-9;]*m|[\p{Cc}\p{Cs}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu;
    return text.replace(harmful, '');
  }

  /** An element with a class and children; strings become text. */
  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children.map((child) => (typeof child === 'string' ? clean(child) : child)));
    return made;
  }

  function millis(ms) {
    if (ms < 9.95) return `${ms.toFixed(1)} ms`;
    return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  }

  // ---- one step at a time -----------------------------------------------------------------------------------------

  const views = Array.from(/** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.view')));
  const links = Array.from(/** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('nav a')));

  /** The step in the address; else the first that is not right; else the last. */
  function wanted() {
    const named = views.find((view) => `#${view.id}` === location.hash);
    if (named) return named;
    const wrong = report.steps.findIndex((step) => step.outcome !== 'pass');
    return views[wrong < 0 ? report.steps.length - 1 : wrong] ?? views[0];
  }

  function show() {
    const view = wanted();
    for (const each of views) each.classList.toggle('shown', each === view);
    for (const link of links) {
      if (link.hash === `#${view.id}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    /** @type {HTMLElement} */
    const holder = view.querySelector('[data-board]');
    if (holder && holder.hidden) board(holder, report.steps[Number(view.dataset.step)]);
  }

  // ---- the matrix by task -----------------------------------------------------------------------------------------

  /** Tasks by network, as the page lists the networks. */
  const order = [...new Set(tasks.map((task) => task.network))].flatMap((network) =>
    tasks.flatMap((task, index) => (task.network === network ? [index] : [])),
  );

  /** Lengths of the runs of one network in `order`. */
  function runs() {
    const found = [];
    for (const index of order) {
      const last = found[found.length - 1];
      if (last && last.network === tasks[index].network) last.count++;
      else found.push({ network: tasks[index].network, count: 1 });
    }
    return found;
  }

  function glyph(cells) {
    if (cells.length === 0) return ['', 'none'];
    const worst = cells.reduce((a, b) => (BAD[OUTCOMES[b[5]]] > BAD[OUTCOMES[a[5]]] ? b : a));
    const outcome = OUTCOMES[worst[5]];
    if (outcome === 'policy-wrong') return [worst[3] === 1 ? '✕' : '!', 'policy-wrong'];
    if (outcome === 'infrastructure-broken') return ['?', 'infrastructure-broken'];
    const open = cells.filter((cell) => cell[3] === 1).length;
    if (outcome === 'slow') return ['~', 'slow'];
    if (open === 0) return ['·', 'deny'];
    return [open === cells.length ? '●' : '◐', 'pass'];
  }

  function board(holder, step) {
    const size = tasks.length;
    const classes = step.traffic.length;
    const at = new Int32Array(size * size * classes).fill(-1);
    step.cells.forEach((cell, index) => (at[(cell[0] * size + cell[1]) * classes + cell[2]] = index));
    const table = element('table', `tasks ${size > 40 ? 'tiny' : size > 16 ? 'small' : ''}`);
    const rows = [];
    let chosen = -1;
    let pinned = null;
    let active = null;

    function cellsOf(row, column) {
      const from = order[row];
      const to = order[column];
      const found = [];
      for (let index = 0; index < classes; index++) {
        const cell = at[(from * size + to) * classes + index];
        if (cell >= 0 && (chosen < 0 || chosen === index)) found.push(step.cells[cell]);
      }
      return found;
    }

    // Heads: the networks, and the host of each task below them.
    const columnHeads = [];
    const top = element('tr', '', element('td', ''), element('td', ''));
    for (const { network, count } of runs()) {
      const head = element('th', 'network', network);
      head.scope = 'colgroup';
      head.colSpan = count;
      top.append(head);
    }
    const second = element('tr', 'hosts', element('td', ''), element('td', ''));
    for (const index of order) {
      const head = element('th', '', element('span', '', tasks[index].node));
      head.scope = 'col';
      head.title = clean(tasks[index].name);
      columnHeads.push(head);
      second.append(head);
    }
    const body = element('tbody', '');
    let left = 0;
    let run = runs();
    order.forEach((index, row) => {
      const line = element('tr', '');
      if (left === 0) {
        const next = run[0];
        run = run.slice(1);
        left = next.count;
        line.classList.add('first');
        const head = element('th', 'network', next.network);
        head.scope = 'rowgroup';
        head.rowSpan = next.count;
        line.append(head);
      }
      left--;
      const head = element('th', 'host', tasks[index].node);
      head.scope = 'row';
      head.title = clean(tasks[index].name);
      line.append(head);
      const cells = order.map((_, column) => {
        const cell = element('td', '');
        cell.tabIndex = -1;
        cell.dataset.at = `${row} ${column}`;
        return cell;
      });
      line.append(...cells);
      rows.push({ head, cells });
      body.append(line);
    });
    table.append(element('thead', '', top, second), body);
    table.setAttribute('role', 'grid');
    table.setAttribute('aria-label', 'Matrix by task: rows send, columns receive');
    const starts = new Set();
    runs().reduce((sum, { count }) => (starts.add(sum), sum + count), 0);

    function paint() {
      rows.forEach(({ cells }, row) => {
        cells.forEach((cell, column) => {
          const [sign, name] = glyph(cellsOf(row, column));
          const className = starts.has(column) ? `${name} first` : name;
          // Of ten thousand cells most stay as they are.
          if (cell.textContent !== sign) cell.textContent = sign;
          if (cell.className !== className) cell.className = className;
        });
      });
    }

    // The chosen cell in words.
    const detail = element('aside', 'detail');
    const hint =
      'Point at a cell, or move with the arrow keys, to see what was expected there, what packets did, and why.';
    detail.append(element('p', 'quiet', hint));

    function place(row, column) {
      const from = tasks[order[row]];
      const to = tasks[order[column]];
      return { from, to, same: from.node === to.node };
    }

    function describe(row, column) {
      const { from, to, same } = place(row, column);
      const where = same ? `same host ${from.node}` : `across hosts ${from.node} → ${to.node}`;
      const parts = [
        element('h4', '', from.name, element('span', 'arrow', ' → '), to.name),
        element('p', 'quiet', `${where} · ${from.address} → ${to.address}`),
      ];
      if (row === column) parts.push(element('p', '', 'A task is not probed from itself.'));
      for (let index = 0; index < classes; index++) {
        const found = at[(order[row] * size + order[column]) * classes + index];
        if (found >= 0) parts.push(answer(step.cells[found], index));
      }
      detail.replaceChildren(...parts);
    }

    function answer(cell, index) {
      const outcome = OUTCOMES[cell[5]];
      const [, , , allow, verdict, , ms, decision, note] = cell;
      const why = report.why[decision];
      const list = element('dl', '');
      const row = (name, value, className) =>
        list.append(element('dt', '', name), element('dd', className ?? '', value));
      row('expected', allow === 1 ? 'allow' : 'deny');
      row('observed', `${VERDICTS[verdict]} (${millis(ms)})`, outcome === 'pass' ? '' : 'bad');
      row('source', why[0], why[2] === 0 ? 'decides' : '');
      row('target', why[1], why[2] === 1 ? 'decides' : '');
      if (note !== undefined) row('note', note);
      const words = {
        pass: 'as expected',
        'policy-wrong': '!! policy wrong',
        slow: '~ too slow',
        'infrastructure-broken': '?? could not be found out',
      };
      const title = element('p', '', element('b', '', step.traffic[index].name), ` ${words[outcome]}`);
      return element('div', `answer ${outcome}${chosen === index ? ' chosen' : ''}`, title, list);
    }

    function light(row, column, on) {
      rows[row].head.classList.toggle('lit', on);
      columnHeads[column].classList.toggle('lit', on);
      rows[row].cells[column].classList.toggle('lit', on);
    }

    function activate(cell) {
      if (cell === active) return;
      if (active) light(...spot(active), false);
      active = cell;
      const [row, column] = spot(cell);
      light(row, column, true);
      describe(row, column);
    }

    const spot = (cell) => cell.dataset.at.split(' ').map(Number);
    const cellOf = (event) => (event.target instanceof Element ? event.target.closest('td[data-at]') : null);

    function pin(cell) {
      if (pinned) pinned.removeAttribute('aria-selected');
      pinned = cell;
      if (cell) cell.setAttribute('aria-selected', 'true');
    }

    // One listener each for the whole table: it may have ten thousand cells.
    body.addEventListener('pointerover', (event) => {
      const cell = cellOf(event);
      if (cell && !pinned) activate(cell);
    });
    body.addEventListener('click', (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      const again = cell === pinned;
      pin(null);
      activate(cell);
      if (!again) pin(cell);
    });
    let stop = rows[0]?.cells[0];
    if (stop) stop.tabIndex = 0;
    body.addEventListener('focusin', (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      if (stop) stop.tabIndex = -1;
      stop = cell;
      cell.tabIndex = 0;
      const [row, column] = spot(cell);
      const { from, to } = place(row, column);
      const said = cellsOf(row, column).map((one) => {
        const seen = `expected ${one[3] === 1 ? 'allow' : 'deny'}, observed ${VERDICTS[one[4]]}`;
        return `${step.traffic[one[2]].name}: ${seen}${one[5] === 0 ? '' : `, ${OUTCOMES[one[5]]}`}`;
      });
      cell.setAttribute('aria-label', clean(`${from.name} to ${to.name}. ${said.join('; ') || 'not probed'}`));
      if (pinned && pinned !== cell) pin(null);
      activate(cell);
    });
    body.addEventListener('keydown', (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      const [row, column] = spot(cell);
      const last = size - 1;
      const moves = {
        ArrowUp: [row - 1, column],
        ArrowDown: [row + 1, column],
        ArrowLeft: [row, column - 1],
        ArrowRight: [row, column + 1],
        Home: [event.ctrlKey ? 0 : row, 0],
        End: [event.ctrlKey ? last : row, last],
        PageUp: [Math.max(0, row - 10), column],
        PageDown: [Math.min(last, row + 10), column],
      };
      const move = moves[event.key];
      if (move) {
        event.preventDefault();
        const [to, side] = move;
        if (to >= 0 && to <= last && side >= 0 && side <= last) rows[to].cells[side].focus();
      } else if (event.key === 'Escape') {
        pin(null);
      } else if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        pin(pinned === cell ? null : cell);
      }
    });

    // Which class of traffic the cells show.
    const choice = element('fieldset', 'choice', element('legend', '', 'Traffic'));
    const name = `traffic-${report.steps.indexOf(step)}`;
    [-1, ...step.traffic.keys()].forEach((index) => {
      const radio = element('input', '');
      radio.type = 'radio';
      radio.name = name;
      radio.value = String(index);
      radio.checked = index === chosen;
      const wrong = step.cells.filter((cell) => cell[2] === index && cell[5] !== 0);
      const mark = ['policy-wrong', 'infrastructure-broken', 'slow'].find((outcome) =>
        wrong.some((cell) => OUTCOMES[cell[5]] === outcome),
      );
      const text = index < 0 ? 'all classes' : step.traffic[index].name;
      choice.append(
        element('label', '', radio, element('span', '', mark ? `${text} ${MARKS[mark]} ${wrong.length}` : text)),
      );
    });
    choice.addEventListener('change', (event) => {
      chosen = Number(event.target.value);
      paint();
      const shown = active;
      active = null;
      if (shown) activate(shown);
    });

    const signs = [
      ['●', 'pass', 'passes, as expected'],
      ['◐', 'pass', 'some classes pass, as expected'],
      ['·', 'deny', 'nothing passes, as expected'],
      ['!', 'policy-wrong', 'passes, must not'],
      ['✕', 'policy-wrong', 'must pass, does not'],
      ['?', 'infrastructure-broken', 'could not be found out'],
      ['~', 'slow', 'right, but late'],
    ];
    const key = element('ul', 'key');
    key.append(...signs.map(([sign, kind, text]) => element('li', '', element('i', kind, sign), ` ${text}`)));

    paint();
    const scroll = element('div', 'scroll', table);
    holder.append(element('h3', '', 'By task'), choice, element('div', 'split', scroll, detail), key);
    holder.hidden = false;
    // A page that opens on a fault shows it.
    const first = step.cells.find((cell) => cell[5] !== 0);
    if (first) activate(rows[order.indexOf(first[0])].cells[order.indexOf(first[1])]);
  }

  document.documentElement.classList.add('script');
  // Paper has no way to open what is folded.
  addEventListener('beforeprint', () => {
    for (const folded of document.querySelectorAll('details')) folded.open = true;
  });
  addEventListener('hashchange', show);
  show();
})();
