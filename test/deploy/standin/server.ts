/** The methods of Terraform's plugin protocol, version 5, over one store. */
import { readFileSync } from 'node:fs';
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { create, read, remove, update } from './api.ts';
import type { Step } from './change.ts';
import { Denied } from './denied.ts';
import { look } from './look.ts';
import { plan, type Provider } from './plan.ts';
import { validate } from './rules.ts';
import type { Block, Nesting, Schema } from './schema.ts';
import { readStore, storeVariable, writeStore, type Store } from './store.ts';
import { conform, fromWire, isFields, toWire, unknown, zero, type Fields, type Value } from './values.ts';

interface Wire {
  readonly msgpack: Uint8Array;
}

/** All that any request has; protobuf gives each message those that are its own. */
interface Request {
  readonly type_name: string;
  readonly config: Wire;
  readonly prior_state: Wire;
  readonly proposed_new_state: Wire;
  readonly planned_state: Wire;
  readonly current_state: Wire;
  readonly raw_state: { readonly json: Uint8Array };
}

type Answer = Record<string, unknown>;

export function provider(schema: Schema): UntypedServiceImplementation {
  let own: Provider = { labels: {} };

  const block = (type: string): Block => schema.resources[type]!;

  /** Runs a request on the store; keeps what it did unless the API refuses. */
  const inStore = <T>(work: (store: Store) => T): T => {
    const file = process.env[storeVariable];
    if (file === undefined) throw new Denied(`the stand-in wants ${storeVariable}, the file that holds what exists`);
    const store = readStore(file);
    const before = JSON.stringify(store);
    const answer = work(store);
    if (JSON.stringify(store) !== before) writeStore(file, store);
    return answer;
  };

  const methods: Record<string, (request: Request) => Answer> = {
    GetSchema: () => ({
      provider: wireSchema(schema.provider),
      resource_schemas: mapValues(schema.resources, wireSchema),
      data_source_schemas: mapValues(schema.dataSources, wireSchema),
      // It never changes: Terraform need not ask every plugin process anew.
      server_capabilities: { get_provider_schema_optional: true },
    }),

    PrepareProviderConfig: ({ config }) => ({ prepared_config: config }),

    Configure: ({ config }) => {
      const said = fields(fromWire(config));
      const one = (name: string): Record<string, string> => {
        const value = said[name] ?? process.env[`GOOGLE_${name.toUpperCase()}`];
        return typeof value === 'string' && value !== '' ? { [name]: value } : {};
      };
      own = { ...one('project'), ...one('region'), ...one('zone'), labels: fields(said['default_labels'] ?? null) };
      return {};
    },

    ValidateResourceTypeConfig: ({ type_name: type, config }) => ({
      diagnostics: validate(type, block(type), fields(fromWire(config))).map(({ steps, what }) =>
        diagnostic(`Invalid value for ${type}`, what, steps),
      ),
    }),

    ValidateDataSourceConfig: () => ({}),

    UpgradeResourceState: ({ type_name: type, raw_state: { json } }) => ({
      upgraded_state: toWire(conform(block(type), fields(JSON.parse(Buffer.from(json).toString()) as Value))),
    }),

    ReadResource: ({ type_name: type, current_state: state }) => {
      const found = inStore((store) => read(store, fields(fromWire(state))));
      return { new_state: toWire(found && conform(block(type), found)) };
    },

    PlanResourceChange: ({ type_name: type, prior_state: prior, proposed_new_state: proposed }) => {
      const wanted = fromWire(proposed);
      if (!isFields(wanted)) return { planned_state: proposed, legacy_type_system: true };
      const before = fromWire(prior);
      const { planned, replace } = plan(type, block(type), isFields(before) ? before : null, wanted, own);
      return { planned_state: toWire(planned), requires_replace: replace.map(wirePath), legacy_type_system: true };
    },

    ApplyResourceChange: ({ type_name: type, prior_state: prior, planned_state: planned }) => {
      const [before, after] = [fromWire(prior), fromWire(planned)];
      try {
        const made = inStore((store) => {
          if (!isFields(after)) {
            remove(store, fields(before));
            return null;
          }
          return isFields(before)
            ? update(store, type, block(type), before, after)
            : create(store, type, block(type), after);
        });
        return { new_state: toWire(made && conform(block(type), made)), legacy_type_system: true };
      } catch (error) {
        // Nothing was done: Terraform keeps what was there before.
        return { new_state: prior, legacy_type_system: true, diagnostics: [refusal(error, type)] };
      }
    },

    ReadDataSource: ({ type_name: type, config }) => {
      const shape = schema.dataSources[type]!;
      const asked = fields(fromWire(config));
      const found = inStore((store) => look(store, type, asked, own));
      const state = conform(shape, { ...found, ...withoutNulls(asked) });
      for (const [name, attribute] of Object.entries(shape.attributes))
        if (attribute.computed) state[name] ??= zero(attribute.type);
      return { state: toWire(state) };
    },

    Stop: () => ({}),
  };

  return mapValues(methods, (method) => (call: ServerUnaryCall<Request, Answer>, done: sendUnaryData<Answer>) => {
    try {
      done(null, method(call.request));
    } catch (error) {
      done(null, { diagnostics: [refusal(error, call.request.type_name)] });
    }
  });
}

/** The schema that install.ts laid beside the program. */
export const readSchema = (file: string | URL): Schema => JSON.parse(readFileSync(file, 'utf8')) as Schema;

const fields = (value: Value): Fields => (isFields(value) ? value : {});

const withoutNulls = (value: Fields): Fields =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([, one]) => one !== null && one !== unknown && !(Array.isArray(one) && one.length === 0),
    ),
  );

const mapValues = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));

const nestings = { single: 'SINGLE', list: 'LIST', set: 'SET', map: 'MAP' } as const satisfies Record<Nesting, string>;

const wireSchema = (block: Block): Answer => ({ version: 0, block: wireBlock(block) });

function wireBlock({ attributes, blocks }: Block): Answer {
  return {
    attributes: Object.entries(attributes).map(([name, { type, required, optional, computed }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required,
      optional,
      computed,
    })),
    block_types: Object.entries(blocks).map(([name, { nesting, min, max, block }]) => ({
      type_name: name,
      nesting: nestings[nesting],
      min_items: min,
      max_items: max,
      block: wireBlock(block),
    })),
  };
}

const wirePath = (steps: readonly Step[]): Answer => ({
  steps: steps.map((step) => (typeof step === 'string' ? { attribute_name: step } : { element_key_int: step })),
});

const diagnostic = (summary: string, detail: string, steps: readonly Step[] = []): Answer => ({
  severity: 'ERROR',
  summary,
  detail,
  attribute: wirePath(steps),
});

const refusal = (error: unknown, type: string): Answer =>
  error instanceof Denied
    ? diagnostic(`Error from the stand-in for ${type || 'google'}`, error.message)
    : diagnostic(
        'The stand-in plugin is broken',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
