/** The script of a session on an agent: one text, with the prober and the listeners in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root/root.ts';

const text = (name: string): string => readFileSync(join(root, 'modules/remote', name), 'utf8');

export function agentScript(): string {
  const parts = {
    probe: 'probe.sh',
    listen_py: 'listen.py',
    listen_pl: 'listen.pl',
    listen_sh: 'listen.sh',
    hold_sh: 'hold.sh',
    hold_py: 'hold.py',
    hold_pl: 'hold.pl',
    ask_sh: 'ask.sh',
    ask_py: 'ask.py',
    ask_pl: 'ask.pl',
  };
  return [
    '#!/usr/bin/env bash',
    ...Object.entries(parts).map(([name, file]) => `${name}=$(cat <<'MC_END'\n${text(file)}MC_END\n)`),
    text('agent.sh'),
  ].join('\n');
}
