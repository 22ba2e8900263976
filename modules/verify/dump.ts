/**
 * A cluster as it stands in etcd, without its description: the endpoints that are there, and the policy that they have.
 *
 *     readDump(file, channel, ids?) -> Foresight of one step, or undefined for a file that is no such thing
 *
 *     curl -s 'http://ETCD:2379/v2/keys/calico/v1?recursive=true' > etcd.json
 */
import { compileState } from '../policy/evaluate.ts';
import { felixOf } from '../policy/felix.ts';
import { lint } from '../policy/lint.ts';
import { matrixOf } from '../policy/matrix/matrix.ts';
import type { Endpoint } from '../policy/model.ts';
import { displayName, type Names } from '../policy/names.ts';
import type { PolicyNetwork } from '../policy/network.ts';
import { isEtcd, readEtcdFile } from '../policy/syntax/etcd.ts';
import { trafficClasses } from '../policy/traffic.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import type { ForeseenStep, Foresight } from './foresee.ts';
import { readGiven } from './given.ts';

/** `ids`: of Docker networks, by name, where their profiles are called by ids. */
export function readDump(
  file: string,
  channel: ReleaseChannel,
  ids: ReadonlyMap<string, string> = new Map(),
): Foresight | undefined {
  const json = parsed(readGiven(file));
  if (!isEtcd(json)) return undefined;
  const felix = felixOf(channel);
  const { state, warnings } = readEtcdFile(json, file, felix);
  if (state.endpoints.length === 0) return undefined;
  const names: Names = new Map(
    [...ids].map(([name, id]): [string, PolicyNetwork] => [id, { name, id, containerizer: 'docker' }]),
  );
  const traffic = trafficClasses(state.profiles.values(), { tiers: state.tiers ?? [], felix });
  const step: ForeseenStep = {
    title: 'As it stands in etcd',
    file,
    state,
    declared: state,
    commands: [],
    expectations: [],
    evaluator: compileState(state, felix),
    matrix: () => matrixOf(state, traffic, felix),
    wrong: [],
    lint: lint(state, names, felix),
  };
  return {
    channel,
    steps: [step],
    traffic,
    names,
    tasks: state.endpoints.map((endpoint) => ({ name: endpoint.id, network: networkOf(endpoint, names) })),
    warnings,
  };
}

/** Endpoints with the same profiles are told together. */
function networkOf({ profiles }: Endpoint, names: Names): string {
  // The profile of its own host is on every task of net-modules, and tells none from another.
  const telling = profiles.filter((name) => !name.startsWith('default_'));
  return (telling.length > 0 ? telling : profiles).map((name) => displayName(names, name)).join('+') || 'no profile';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
