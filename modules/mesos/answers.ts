/**
 * What we rely on in Marathon's answers; all else is let be. A field that a version leaves out, another one gives as null.
 *
 * Source: Marathon's docs/docs/rest-api/public/api/v2 (RAML and examples), and `Formats.scala` for what 0.14 left out.
 */
import Type, { type TSchema } from 'typebox';
import { reader } from './form.ts';

const maybe = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
const text = Type.String();

const task = Type.Object({
  id: text,
  appId: text,
  host: text,
  slaveId: maybe(text),
  /** From 1.2 on. */
  state: maybe(text),
  stagedAt: maybe(text),
  startedAt: maybe(text),
  ports: maybe(Type.Array(Type.Integer())),
  ipAddresses: maybe(Type.Array(Type.Object({ ipAddress: maybe(text), protocol: maybe(text) }))),
  healthCheckResults: maybe(Type.Array(Type.Union([Type.Object({ alive: Type.Boolean() }), Type.Null()]))),
});

const failure = Type.Object({ message: maybe(text), state: maybe(text), host: maybe(text), timestamp: maybe(text) });

const app = Type.Object({
  id: text,
  instances: Type.Integer(),
  healthChecks: maybe(Type.Array(Type.Unknown())),
  tasks: maybe(Type.Array(task)),
  deployments: maybe(Type.Array(Type.Object({ id: text }))),
  lastTaskFailure: maybe(failure),
});

const deployment = Type.Object({ id: text, affectedApps: maybe(Type.Array(text)) });

const queued = Type.Object({
  count: maybe(Type.Integer()),
  app: maybe(Type.Object({ id: text })),
  delay: maybe(Type.Object({ timeLeftSeconds: maybe(Type.Number()), overdue: maybe(Type.Boolean()) })),
  processedOffersSummary: maybe(
    Type.Object({
      rejectSummaryLastOffers: maybe(
        Type.Array(Type.Object({ reason: text, declined: maybe(Type.Integer()), processed: maybe(Type.Integer()) })),
      ),
    }),
  ),
});

export type MarathonTask = Type.Static<typeof task>;
export type MarathonApp = Type.Static<typeof app>;

export const readInfo = reader(
  'marathon',
  Type.Object({
    version: text,
    elected: maybe(Type.Boolean()),
    leader: maybe(text),
    frameworkId: maybe(text),
    marathon_config: maybe(Type.Object({ default_network_name: maybe(text) })),
  }),
);
export const readLeader = reader('marathon', Type.Object({ leader: text }));
export const readApps = reader('marathon', Type.Object({ apps: Type.Array(app) }));
export const readTasks = reader('marathon', Type.Object({ tasks: Type.Array(task) }));
export const readDeployments = reader('marathon', Type.Array(deployment));
/** Of a change: PUT and DELETE of apps and groups. */
export const readChange = reader('marathon', Type.Object({ deploymentId: text }));
/** Of 409: who has the app. Marathon 1.0 and later name the deployments. */
export const readLock = reader(
  'marathon',
  Type.Object({ message: maybe(text), deployments: maybe(Type.Array(Type.Object({ id: text }))) }),
);
export const readQueue = reader('marathon', Type.Object({ queue: Type.Array(queued) }));
