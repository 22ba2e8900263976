/** The JSON Schema of the report's JSON, tied to the type `Report`: a field that only one of them has does not compile. */
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import type { Report } from '../verify/report.ts';

const object = <P extends TProperties>(title: string, description: string, properties: P) =>
  Type.Object(properties, { title, description, additionalProperties: false });
const words = <const W extends readonly string[]>(values: W, description: string) =>
  Type.Unsafe<W[number]>({ type: 'string', enum: [...values], description });
const text = (description: string) => Type.String({ description });
const index = (description: string) => Type.Integer({ minimum: 0, description });
const ms = (description: string) => Type.Number({ minimum: 0, description });
const port = () => Type.Integer({ minimum: 0, maximum: 65_535 });
/** What is `undefined` in the type is `null` in JSON: a reader finds every key. */
const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

const outcome = () =>
  words(
    ['pass', 'policy-wrong', 'slow', 'infrastructure-broken'],
    '`slow` is right in the end, but later than its budget; `infrastructure-broken` could not be found out.',
  );
const verdict = (description: string) => words(['open', 'refused', 'dropped', 'rejected', 'broken'], description);

const portRange = object('PortRange', 'Ports `from` to `to`, both included.', { from: port(), to: port() });

const peerMatch = {
  tag: Type.Optional(text('Holds for every address of every endpoint with a profile that carries the tag.')),
  selector: Type.Optional(text('Holds for every address of every endpoint whose labels it matches.')),
  cidr: Type.Optional(text('An IPv4 or IPv6 network in CIDR form.')),
  ports: Type.Optional(Type.Array(portRange, { description: 'An empty list means: every port.' })),
};

const peer = object('Peer', 'What a rule asks of one end of a packet; all matches present must hold.', {
  ...peerMatch,
  not: Type.Optional(object('PeerMatch', 'None of these must hold.', peerMatch)),
});

const protocol = () =>
  Type.Union([
    words(['tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'udplite'], 'The protocol.'),
    Type.Integer({ minimum: 1, maximum: 255, description: 'The number of the protocol.' }),
  ]);

const icmp = () =>
  Type.Object(
    {
      type: Type.Integer({ minimum: 0, maximum: 255 }),
      code: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    },
    { description: 'ICMP type and code.', additionalProperties: false },
  );

const rule = object('Rule', 'A rule of a Calico v1 profile or policy.', {
  action: words(['allow', 'deny', 'next-tier', 'log'], 'What happens to a packet that matches.'),
  ipVersion: Type.Optional(Type.Union([Type.Literal(4), Type.Literal(6)])),
  protocol: Type.Optional(protocol()),
  icmp: Type.Optional(icmp()),
  from: peer,
  to: peer,
  not: Type.Optional(
    Type.Object(
      { protocol: Type.Optional(protocol()), icmp: Type.Optional(icmp()) },
      { description: 'None of these must hold.', additionalProperties: false },
    ),
  ),
});

const kind = <K extends string>(value: K) => Type.Literal(value);
const closed = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false });

const quirk = () => text('What Felix makes of the rule, where that decided and not what stands there.');

const because = Type.Union(
  [
    closed({
      kind: kind('rule'),
      profile: text('The profile that has the rule.'),
      position: Type.Integer({ minimum: 1, description: 'Counts from 1, as `calicoctl … --at` does.' }),
      rule,
      quirk: Type.Optional(quirk()),
    }),
    closed({
      kind: kind('policy rule'),
      tier: text('The tier of the policy.'),
      policy: text('The policy that has the rule.'),
      position: Type.Integer({ minimum: 1, description: 'Counts from 1.' }),
      rule,
      quirk: Type.Optional(quirk()),
    }),
    closed({ kind: kind('no policy passed'), tier: Type.String(), policies: Type.Array(Type.String()) }),
    closed({ kind: kind('no rule matched'), profiles: Type.Array(Type.String()) }),
    closed({ kind: kind('no profile') }),
    closed({ kind: kind('missing profile'), profile: Type.String() }),
    closed({ kind: kind('inactive') }),
    closed({ kind: kind('not an endpoint') }),
    closed({ kind: kind('own address') }),
    closed({ kind: kind('own host') }),
    closed({
      kind: kind('to own host'),
      what: words(['DROP', 'DNS', 'DHCP', 'neighbour discovery'], 'What decides before any rule.'),
    }),
  ],
  { title: 'Because', description: 'Why one side of a flow decides as it does.' },
);

const side = object('SideDecision', 'What one direction of one endpoint says of a packet.', {
  direction: words(['inbound', 'outbound'], 'As seen from the endpoint.'),
  allow: Type.Boolean(),
  because,
});

const decision = object('Decision', 'A flow is allowed when both sides allow it.', {
  allow: Type.Boolean(),
  outbound: side,
  inbound: side,
  seenFrom: Type.Optional(text('The source address that the receiver sees, where it is not the source’s own.')),
  repliesDie: Type.Optional(
    Type.Literal(true, { description: 'What is allowed gets there, and a host drops what is answered.' }),
  ),
});

const traffic = Type.Union(
  [
    closed({
      protocol: words(['tcp', 'udp'], 'The protocol.'),
      name: text('Short and unique in its step: `tcp 9000`.'),
      port: Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'The destination port that stands for the class.',
      }),
      ports: Type.Array(portRange, { description: 'All destination ports of the class.' }),
      sourcePorts: portRange,
    }),
    closed({
      protocol: kind('icmp'),
      name: text('Short and unique in its step: `icmp`.'),
      type: Type.Integer({ minimum: 0, maximum: 255 }),
      code: Type.Integer({ minimum: 0, maximum: 255 }),
    }),
  ],
  { title: 'Traffic', description: 'A class of packets that no rule tells apart, with one packet to stand for it.' },
);

const cell = object('Cell', 'One question of the matrix with its answer.', {
  from: index('Index of the source in `tasks`.'),
  to: index('Index of the target in `tasks`.'),
  traffic: index("Index in the step's `traffic`."),
  expected: words(['allow', 'deny'], 'What the policy says.'),
  because: decision,
  observed: verdict('What the packet met.'),
  ms: ms('Milliseconds until the answer; for `dropped`, the time-out.'),
  outcome: outcome(),
  note: Type.Optional(text('What a person needs to know beyond the verdict.')),
});

const control = object('Control', 'A probe whose answer does not depend on policy.', {
  kind: words(['listener', 'closed-port', 'path'], 'What the control shows.'),
  from: Type.String(),
  to: Type.String(),
  traffic: Type.String(),
  expected: verdict('What it must meet.'),
  observed: verdict('What it met.'),
  ms: ms('Milliseconds until the answer.'),
  when: words(['before', 'after'], 'Before or after the table that it guards.'),
  note: Type.Optional(text('What the prober had to say beyond the verdict.')),
});

const change = object('Change', 'Cells that a change of policy opens or closes.', {
  cells: index('How many.'),
  sampled: index('How many of them were watched.'),
  slowestMs: nullable(ms('Milliseconds from the write until the slowest of them followed; null when none did.')),
});

const convergence = object('Convergence', 'How long one change of policy took to show in packets.', {
  opened: change,
  closed: change,
  programmedMs: nullable(ms("Milliseconds until every host's agent had programmed it; null when one never did.")),
  budgetMs: ms('Over it a right answer is `slow`.'),
  outcome: outcome(),
  note: Type.Optional(Type.String()),
});

const expectation = object('Expectation', 'A hand-written expectation, held against the evaluator and the packets.', {
  text: text('As written.'),
  where: text('Where it stands: `file:line`.'),
  evaluatorAgrees: Type.Boolean(),
  packetsAgree: Type.Boolean(),
  cells: Type.Array(index("Index in the step's `cells`.")),
});

const step = object('Step', 'One policy, or one step of it, with all that was asked of it.', {
  title: Type.String(),
  file: nullable(text('The policy file that the step adds.')),
  commands: Type.Array(Type.String(), { description: 'The calicoctl commands that bring the step about.' }),
  traffic: Type.Array(traffic),
  cells: Type.Array(cell),
  controls: Type.Array(control),
  expectations: Type.Array(expectation),
  convergence: nullable(convergence),
  outcome: outcome(),
  findings: Type.Array(Type.String(), { description: 'One sentence each, the most telling first.' }),
  ms: ms('Milliseconds that the step took.'),
});

const task = object('Task', 'A probe task: one task of one network on one agent.', {
  name: text('Unique in the run: `client@general-1`.'),
  network: Type.String(),
  node: Type.String(),
  address: text('IPv4 address.'),
});

const spread = object('Spread', 'Times of something that was done again and again.', {
  count: index('How often.'),
  p50: ms('Milliseconds: the median.'),
  p95: ms('Milliseconds.'),
  p99: ms('Milliseconds.'),
  most: ms('Milliseconds: the slowest.'),
});

const trend = object('Trend', 'One figure over the rounds of a soak.', {
  name: text('`felix on general-1: memory`.'),
  unit: Type.Union([Type.Literal('ms'), Type.Literal('KiB'), Type.Literal('count')]),
  perRound: nullable(Type.Number({ description: 'By how much it grows in a round; null with too few rounds.' })),
  grows: Type.Boolean(),
  values: Type.Array(Type.Number(), { description: 'Round by round; of a long soak, medians of so many rounds each.' }),
  roundsPerValue: index('How many rounds made one value.'),
});

const check = object('Check', 'What a suite looked at beyond the cells of a matrix.', {
  name: text('Unique in its report.'),
  outcome: outcome(),
  seen: text('What was seen, in one sentence.'),
  details: Type.Array(Type.String(), { description: 'What a person has to look at, by name.' }),
  times: Type.Optional(spread),
  trends: Type.Optional(Type.Array(trend, { description: 'What was measured in every round.' })),
  ms: ms('Milliseconds that it took.'),
});

const report = object('Report', 'What a verification found.', {
  schema: Type.Literal('mesos-calico/report/1'),
  cluster: Type.String(),
  target: Type.String(),
  seed: Type.Number({ description: 'Orders the probes and picks samples; the same seed repeats the run.' }),
  startedAt: text('ISO 8601, UTC.'),
  ms: ms('Milliseconds that the run took.'),
  stages: Type.Array(closed({ name: Type.String(), ms: ms('Milliseconds.') }), { description: 'Where the time went.' }),
  standIns: Type.Array(Type.String(), { description: 'What was not the real thing.' }),
  real: Type.Array(Type.String(), { description: 'What was the real thing, with its version.' }),
  tasks: Type.Array(task),
  timeoutMs: ms('Time-out of a probe.'),
  steps: Type.Array(step),
  suite: Type.Optional(text('The suite that ran.')),
  checks: Type.Optional(Type.Array(check)),
  untried: Type.Optional(Type.Array(Type.String(), { description: 'What this cluster has no place for, and why.' })),
  outcome: outcome(),
  verdict: text('One line that says it all.'),
});

/** The type as JSON has it: writable, `null` for `undefined`. */
type Json<T> = T extends undefined
  ? null
  : T extends readonly (infer E)[]
    ? Json<E>[]
    : T extends object
      ? { -readonly [K in keyof T]: Json<T[K]> }
      : T;
// Two conditional types are one only if what they compare with is identical: stricter than assignable both ways.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
true satisfies Same<Json<Report>, Json<Static<typeof report>>>;

/** The schema as a document, each named part once under `$defs`. */
export function schema(): object {
  const defs: Record<string, unknown> = {};
  const hoist = (value: unknown, top = false): unknown => {
    if (Array.isArray(value)) return value.map((one) => hoist(one));
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, hoist(one)]));
    if (top || typeof copy['title'] !== 'string') return copy;
    const { title, ...rest } = copy;
    defs[title] = rest;
    return { $ref: `#/$defs/${title}` };
  };
  const body = hoist(report, true) as object;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'mesos-calico/report/1',
    ...body,
    $defs: Object.fromEntries(Object.entries(defs).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
