/** Whether the software on a host will do: what is left alone, installed, upgraded, or in the way. Pure. */
import type { HostsTarget } from '../cluster/cluster.ts';
import { netModulesMesos, spans, type Span } from '../release/fit.ts';
import { between, compare } from '../release/version.ts';
import type { Found } from './found.ts';
import { caution, change, fits, left, refused, type Check, type Row, type Seat } from './row.ts';

export type Existing = keyof HostsTarget['existing'];

interface Piece {
  readonly key: Existing;
  readonly title: string;
  readonly fact: 'mesos' | 'marathon' | 'zookeeper' | 'etcd' | 'docker' | 'calico-node';
  /** The version that the release takes. */
  readonly ours: string;
  readonly roles: readonly ('master' | 'agent')[];
  readonly span: Span | undefined;
}

function pieces({ cluster: { release, agents } }: Seat): readonly Piece[] {
  const span = spans[release.name];
  const both = ['master', 'agent'] as const;
  const ours = (name: keyof typeof release.software): string => release.software[name]?.version ?? '';
  const viaNetModules =
    release.unified.via === 'net-modules' &&
    Object.values(agents).some(({ containerizers }) => containerizers.includes('mesos'));
  return [
    { key: 'docker', title: 'Docker', fact: 'docker', ours: release.docker.version, roles: both, span: span.docker },
    {
      key: 'mesos',
      title: 'Mesos',
      fact: 'mesos',
      ours: release.mesos,
      roles: both,
      span: viaNetModules ? netModulesMesos : span.mesos,
    },
    {
      key: 'calico',
      title: 'Calico',
      fact: 'calico-node',
      ours: release.calico,
      roles: both,
      span: span['calico-node'],
    },
    {
      key: 'zookeeper',
      title: 'ZooKeeper',
      fact: 'zookeeper',
      ours: ours('zookeeper'),
      roles: ['master'],
      span: undefined,
    },
    { key: 'etcd', title: 'etcd', fact: 'etcd', ours: ours('etcd'), roles: ['master'], span: span.etcd },
    {
      key: 'marathon',
      title: 'Marathon',
      fact: 'marathon',
      ours: ours('marathon'),
      roles: ['master'],
      span: span.marathon,
    },
  ];
}

const software: Check = (seat) =>
  pieces(seat)
    .filter(({ roles }) => roles.includes(seat.node.role))
    .map((piece) => judge(seat, piece));

/** Whether what is found was put there by an earlier installation, whole or cut short. */
function oursAlready({ facts }: Found, key: Existing): boolean {
  return facts.existing !== undefined && !facts.existing.split(',').includes(key);
}

/**
 * What is left alone on a host: as the description says it, else as the host remembers or shows it. What is to be upgraded
 * is ours from then on.
 */
export function leftAlone(seat: Seat): HostsTarget['existing'] {
  const told = pieces(seat).map(({ key, fact, span }): [Existing, boolean] => {
    const version = seat.found.facts[fact];
    const old = version !== undefined && span !== undefined && compare(version, span.from) < 0;
    if (old && seat.target.upgrade) return [key, false];
    return [key, seat.target.existing[key] ?? (version !== undefined && !oursAlready(seat.found, key))];
  });
  return Object.fromEntries(told);
}

function judge(seat: Seat, { key, title, fact, ours, span }: Piece): Row {
  const { target, found } = seat;
  const version = found.facts[fact];
  const wish = target.existing[key];
  const range =
    span === undefined ? 'any' : `${span.from}${span.below === undefined ? ' or later' : ` to below ${span.below}`}`;
  const said = { what: title, found: version ?? 'none', needed: range };
  if (version === undefined) {
    if (wish !== true) return { ...said, verdict: 'install', deed: `install ${ours}`.trim() };
    return refused(seat, said, {
      code: 'survey-existing-missing',
      rule: `existing: { ${key}: true } says that ${title} is there.`,
      remedy: `start it, or take existing.${key} away: it is installed then`,
    });
  }
  const isOurs = oursAlready(found, key);
  if (wish === false && !isOurs)
    return refused(seat, said, {
      code: 'survey-existing-found',
      rule: `existing: { ${key}: false } says that ${title} is to be installed, and what is there is not ours.`,
      remedy: `existing: { ${key}: true } leaves it alone; or take it off the host`,
    });
  if (span === undefined || between(version, span.from, span.below ?? '999999'))
    return isOurs && compare(version, ours) === 0 ? fits(said) : left(said);
  if (compare(version, span.from) >= 0)
    return refused(seat, said, {
      code: 'survey-too-new',
      rule: `${span.why}.`,
      remedy: `another release, or ${title} ${ours}; nothing is ever downgraded`,
    });
  if (target.upgrade) return { ...said, verdict: 'upgrade', deed: `upgrade to ${ours}` };
  return refused(seat, said, {
    code: 'survey-below-minimum',
    rule: `${span.why}.`,
    remedy: `upgrade: true lets the kit upgrade it to ${ours}; or upgrade it yourself`,
  });
}

const dockerDaemon: Check = (seat) => {
  const { docker, 'docker-client': client, 'docker-store': store } = seat.found.facts;
  // One that we have put there comes up with the rest of the installation, which has not come so far.
  if (docker === undefined && client !== undefined && !oursAlready(seat.found, 'docker'))
    return [
      refused(
        seat,
        { what: 'Docker', found: `${client}, whose daemon does not answer`, needed: 'one that answers' },
        {
          code: 'survey-docker-down',
          rule: 'what a daemon is and how it is set up is asked of the daemon itself.',
          remedy: 'systemctl start docker, or take the package off the host',
        },
      ),
    ];
  if (docker === undefined || seat.node.role === 'master') return [];
  const said = { what: 'cluster store', found: store ?? 'none', needed: 'etcd of the masters' };
  if (store === undefined) return [change(said, 'merged into daemon.json, dockerd restarted')];
  const masters = seat.cluster.nodes.flatMap(({ role, address }) => (role === 'master' && address ? [address] : []));
  if (store.startsWith('etcd:') && ['127.0.0.1', 'localhost', ...masters].some((one) => store.includes(one)))
    return [fits(said)];
  return [
    refused(seat, said, {
      code: 'survey-docker-store',
      rule: 'networks of Calico are kept in the store that all daemons share, and this one shares another.',
      remedy: 'take --cluster-store out of the settings of dockerd, if nobody needs the networks in it',
    }),
  ];
};

const etcdApi: Check = (seat) => {
  if (seat.found.facts['etcd-v2'] !== 'no') return [];
  return [
    refused(
      seat,
      { what: 'v2 API of etcd', found: 'off', needed: 'on' },
      {
        code: 'survey-etcd-v2',
        rule: 'Calico before v3, and the cluster store of Docker, speak nothing else.',
        remedy: 'ETCD_ENABLE_V2=true (etcd 3.4 and 3.5), then restart it: etcd of your own is left alone',
      },
    ),
  ];
};

const containerizers: Check = (seat) => {
  const { node, found } = seat;
  if (node.role === 'master') return [];
  const told = [...found.containerizers];
  const needed = node.containerizers.join(',');
  const whole = told.map(([source, value]) => `${value.join(',')} (${source})`).join(', ');
  const said = { what: 'containerizers', found: whole || 'none', needed };
  const first = told[0]?.[1];
  if (first === undefined) return [{ ...said, verdict: 'install', deed: `set to ${needed}` }];
  if (told.some(([, value]) => value.join(',') !== first.join(',')))
    return [
      refused(seat, said, {
        code: 'survey-containerizers-disagree',
        rule: 'the agent is told different things in different places, and which one it takes depends on how it is started.',
        remedy: 'leave one of them',
      }),
    ];
  const missing = node.containerizers.filter((one) => !first.includes(one));
  if (missing.length === 0) return [fits(said)];
  if (told.some(([source]) => source === 'command-line') && told.length === 1)
    return [
      refused(seat, said, {
        code: 'survey-containerizers-fixed',
        rule: 'a flag on the command line of the agent is not in a file that could be merged.',
        remedy: `--containerizers=${[...first, ...missing].join(',')} where the agent is started`,
      }),
    ];
  return [change(said, `merged: ${[...first, ...missing].join(',')}`)];
};

const calicoctl: Check = (seat) => {
  const version = seat.found.facts.calicoctl;
  const span = spans[seat.cluster.release.name].calicoctl;
  if (version === undefined || span === undefined || between(version, span.from, span.below ?? '999999')) return [];
  return [
    caution(
      seat,
      { what: 'calicoctl', found: version, needed: `${span.from} to below ${span.below ?? 'any'}` },
      {
        code: 'survey-calicoctl',
        rule: `${span.why}.`,
        remedy: '/opt/bin/calicoctl is the one that goes with this release',
      },
    ),
  ];
};

export const softwareChecks: readonly Check[] = [software, dockerDaemon, etcdApi, containerizers, calicoctl];
