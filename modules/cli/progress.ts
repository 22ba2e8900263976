/** What goes on, on standard error: one line that changes on a terminal, one line a stage elsewhere. */
export interface Progress {
  /** Ends the stage before, if there is one, and begins another. */
  stage(name: string): void;
  /** Ends the stage: its line says how long it took. */
  done(): void;
  /** How far the stage is: beside its name on a terminal, nothing elsewhere. */
  note(text: string): void;
  /** A line of its own, past the stage that runs. */
  say(text: string): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function progressOn(stream: NodeJS.WriteStream): Progress {
  const live = stream.isTTY && process.env['TERM'] !== 'dumb';
  let name: string | undefined;
  let begin = 0;
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;
  let far = '';

  const clear = (): void => {
    if (live) stream.write('\r\u001b[K');
  };
  const draw = (): void => {
    clear();
    const line = `${frames[frame++ % frames.length]} ${name}${far === '' ? '' : `: ${far}`}`;
    // What is wider than the terminal would stay on it.
    stream.write(line.slice(0, (stream.columns || 80) - 1));
  };
  const done = (): void => {
    if (name === undefined) return;
    clearInterval(timer);
    clear();
    stream.write(`${live ? '✔ ' : ''}${name} (${((performance.now() - begin) / 1000).toFixed(1)} s)\n`);
    name = undefined;
  };
  return {
    stage(next) {
      done();
      name = next;
      far = '';
      begin = performance.now();
      if (!live) return;
      draw();
      timer = setInterval(draw, 80);
      // Progress alone is no reason to stay alive.
      timer.unref();
    },
    done,
    note(text) {
      far = text;
    },
    say(text) {
      clear();
      stream.write(`${text}\n`);
    },
  };
}
