/**
 * What we rely on in the answers of Mesos' master and agents; all else is let be.
 *
 * Source: Mesos' docs/endpoints (0.28 to 1.11), src/common/http.cpp, src/master/http.cpp, src/slave/http.cpp. The example
 * of `/containers` there calls `container_status` what the agent sends as `status`.
 */
import Type, { type TSchema } from 'typebox';
import { reader } from './form.ts';

const maybe = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
const text = Type.String();
const list = <S extends TSchema>(schema: S) => maybe(Type.Array(schema));

const networkInfo = Type.Object({
  name: maybe(text),
  groups: list(text),
  /** Up to 0.26 beside, later in the list. */
  ip_address: maybe(text),
  ip_addresses: list(Type.Object({ ip_address: maybe(text), protocol: maybe(text) })),
});

const containerStatus = Type.Object({
  container_id: maybe(Type.Object({ value: text })),
  executor_pid: maybe(Type.Integer()),
  network_infos: list(networkInfo),
});

const task = Type.Object({
  id: text,
  slave_id: text,
  framework_id: maybe(text),
  executor_id: maybe(text),
  state: text,
  statuses: list(
    Type.Object({ state: text, timestamp: maybe(Type.Number()), container_status: maybe(containerStatus) }),
  ),
});

const slave = Type.Object({
  id: text,
  pid: text,
  hostname: text,
  active: maybe(Type.Boolean()),
  version: maybe(text),
  attributes: maybe(Type.Record(text, Type.Unknown())),
});

const flags = Type.Record(text, Type.Unknown());

const executor = Type.Object({
  /** Of a command task, the task's. */
  id: maybe(text),
  executor_id: maybe(text),
  container: maybe(text),
  tasks: list(task),
});

const container = Type.Object({
  container_id: text,
  executor_id: maybe(text),
  framework_id: maybe(text),
  status: maybe(containerStatus),
  container_status: maybe(containerStatus),
});

export type SlaveJson = Type.Static<typeof slave>;
export type TaskJson = Type.Static<typeof task>;
export type StatusJson = Type.Static<typeof containerStatus>;
export type ContainerJson = Type.Static<typeof container>;
export type ExecutorJson = Type.Static<typeof executor>;

export const readMaster = reader(
  'mesos',
  Type.Object({
    version: text,
    pid: maybe(text),
    leader: maybe(text),
    flags: maybe(flags),
    slaves: list(slave),
    frameworks: list(Type.Object({ id: text, name: maybe(text), active: maybe(Type.Boolean()), tasks: list(task) })),
  }),
);
export const readSlaves = reader('mesos', Type.Object({ slaves: Type.Array(slave) }));
export const readAgent = reader(
  'mesos',
  Type.Object({
    version: text,
    id: text,
    pid: text,
    hostname: text,
    master_hostname: maybe(text),
    attributes: maybe(Type.Record(text, Type.Unknown())),
    flags: maybe(flags),
    frameworks: list(Type.Object({ id: text, executors: list(executor) })),
  }),
);
export const readContainers = reader('mesos', Type.Array(container));
