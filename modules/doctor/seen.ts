/** What the doctor's script saw on a node, read strictly: a fact that nobody knows is a mistake, not nothing. Pure. */
import { isAddress4 } from '../cluster/range.ts';

/** What can be said in one word or line; undefined where the host has no such thing, or did not tell. */
export type Facts = Readonly<Partial<Record<keyof typeof single, string>>>;

export interface Seen extends Readonly<Lists> {
  readonly facts: Facts;
  /** The host's clock when it began, seconds since 1970. */
  readonly now: number;
  /** How far it is ahead of ours, seconds, at least and at most. */
  readonly clock: { readonly least: number; readonly most: number };
}

export interface Answer {
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;
  readonly body: string;
}

export interface DockerNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly scope: string;
  readonly ipam: string;
}

export interface DockerTask {
  readonly container: string;
  /** The network that it was started with: `host`, `bridge`, a network's name or id. */
  readonly mode: string;
  readonly addresses: readonly string[];
  readonly task: string;
}

interface Lists {
  readonly settings: Map<string, string>;
  /** MTU by device. */
  readonly links: Map<string, number>;
  readonly addresses: { readonly device: string; readonly address: string }[];
  readonly units: {
    readonly name: string;
    readonly active: string;
    readonly sub: string;
    readonly restarts: number;
    /** Seconds in this state. */
    readonly age: number;
  }[];
  readonly failed: string[];
  /** Free in MiB, used in percent. */
  readonly disks: { readonly path: string; readonly free: number; readonly used: number }[];
  readonly sockets: Map<string, 'answers' | 'silent' | 'missing'>;
  readonly networks: DockerNetwork[];
  readonly tasks: DockerTask[];
  readonly sessions: { readonly name: string; readonly state: string }[];
  readonly answers: Map<string, Answer>;
}

const version = /^\d[\w.+~-]*$/;
const number = /^-?\d+$/;
const any = /^.+$/;

/** Facts that are told once, and the form of each. */
const single = {
  hostname: /^\S+$/,
  curl: /^missing$/,
  target: /^[a-z-]+$/,
  'clock-kept': /^yes$/,
  docker: version,
  'docker-store': any,
  'calico-node': /^[a-z]+$/,
  'calico-image': /^\S+$/,
  bird: /^(answers|silent)$/,
  'mesos-leader': /^\S+$/,
  /** Version and mode. */
  zookeeper: any,
} as const;

/** Facts that are told of many things: each takes its words, or says that they are none of its own. */
const many: Readonly<Record<string, (into: Lists, words: readonly string[]) => boolean>> = {
  setting({ settings }, [name = '', value = '', more]) {
    settings.set(name, value);
    return number.test(value) && more === undefined;
  },
  link({ links }, [device = '', mtu = '', more]) {
    links.set(device, Number(mtu));
    return number.test(mtu) && more === undefined;
  },
  address({ addresses }, [device = '', cidr = '', more]) {
    const [address = ''] = cidr.split('/');
    return isAddress4(address) && more === undefined && addresses.push({ device, address }) > 0;
  },
  unit({ units }, [name = '', active = '', sub = '', restarts = '', age = '', more]) {
    if (!number.test(restarts) || !number.test(age) || more !== undefined) return false;
    return units.push({ name, active, sub, restarts: Number(restarts), age: Number(age) }) > 0;
  },
  failed: ({ failed }, [name = '', more]) => name !== '' && more === undefined && failed.push(name) > 0,
  disk({ disks }, [path = '', free = '', used = '', more]) {
    if (!number.test(free) || !number.test(used) || more !== undefined) return false;
    return disks.push({ path, free: Number(free), used: Number(used) }) > 0;
  },
  socket({ sockets }, [path = '', state, more]) {
    if (state !== 'answers' && state !== 'silent' && state !== 'missing') return false;
    sockets.set(path, state);
    return more === undefined;
  },
  network({ networks }, [id = '', name = '', driver = '', scope = '', ipam = '', more]) {
    return /^[0-9a-z]+$/.test(id) && more === undefined && networks.push({ id, name, driver, scope, ipam }) > 0;
  },
  task({ tasks }, [container = '', mode = '', all = '', task = '', more]) {
    const addresses = all.split(',').filter((each) => each !== '');
    return task !== '' && more === undefined && tasks.push({ container, mode, addresses, task }) > 0;
  },
  session: ({ sessions }, [name = '', ...state]) =>
    name !== '' && sessions.push({ name, state: state.join(' ').trim() }) > 0,
  answer({ answers }, [key = '', status = '', ...body]) {
    if (!/^\d{3}$/.test(status) || answers.has(key)) return false;
    answers.set(key, { status: Number(status), body: body.join(' ').trim() });
    return true;
  },
};

/** When the script was sent and when its first line came, milliseconds of this machine's clock. */
export interface Times {
  readonly sent: number;
  readonly came: number;
}

export type Reading =
  { readonly ok: true; readonly seen: Seen } | { readonly ok: false; readonly fault: string; readonly line: string };

export function readSeen(text: string, times: Times): Reading {
  const facts = new Map<string, string>();
  const lists: Lists = {
    settings: new Map(),
    links: new Map(),
    addresses: [],
    units: [],
    failed: [],
    disks: [],
    sockets: new Map(),
    networks: [],
    tasks: [],
    sessions: [],
    answers: new Map(),
  };
  let ended = false;
  let now: number | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, name = '', value = ''] = /^([a-z0-9-]+)=(.*)$/.exec(line) ?? [];
    const fault = (what: string): Reading => ({ ok: false, fault: what, line });
    if (name === '') return fault('a line that is no fact');
    if (ended) return fault('a line after the last');
    if (name === 'end') ended = true;
    else if (name === 'clock') {
      if (now !== undefined || !/^\d+(\.\d+)?$/.test(value)) return fault('no time of day');
      now = Number(value);
    } else if (Object.hasOwn(many, name)) {
      if (!many[name]!(lists, value.split(' '))) return fault(`no ${name}`);
    } else {
      if (!Object.hasOwn(single, name)) return fault(`a fact called ${name}, which nobody knows`);
      if (facts.has(name)) return fault(`${name}, which was told already`);
      if (!single[name as keyof typeof single].test(value)) return fault(`no ${name}`);
      facts.set(name, value);
    }
  }
  if (!ended || now === undefined) return { ok: false, fault: 'no end', line: text.trimEnd().split('\n').at(-1) ?? '' };
  const clock = { least: now - times.came / 1000, most: now - times.sent / 1000 };
  return { ok: true, seen: { ...lists, facts: Object.fromEntries(facts), now, clock } };
}

/** The body of an answer as JSON, where there was one of status 200; undefined otherwise. */
export function bodyOf(seen: Seen | undefined, key: string): unknown {
  const answer = seen?.answers.get(key);
  if (answer?.status !== 200) return undefined;
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}
