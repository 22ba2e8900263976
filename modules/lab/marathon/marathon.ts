/** Marathon's `/v2`, as a version answers it. */
import { randomUUID } from 'node:crypto';
import type { Reply } from '../../mesos/http.ts';
import type { GivenApp } from './app.ts';
import type { Fault, published } from './published.ts';
import { childOf, refusals, type Settings } from './rules.ts';
import { appView, deploymentView, infoView, queueView, taskView } from './views.ts';
import { json, page, type Asked } from './wire.ts';
import type { Work } from './work.ts';
import { holding, tasksOf, type World } from './world.ts';

export interface Scene {
  readonly world: World;
  readonly settings: Settings;
  readonly work: Work;
  readonly judge: ReturnType<typeof published>;
  /** `host:port` of the instance that leads, where one does. */
  readonly leader: () => string | undefined;
}

type Route = (scene: Scene, asked: Asked, id: string) => Reply;

const routes: readonly (readonly [method: string, path: RegExp, route: Route])[] = [
  ['GET', /^\/v2\/info$/, ({ settings, world, leader }) => json(200, infoView(settings, world, leader()))],
  ['GET', /^\/v2\/leader$/, ({ leader }) => leaderReply(leader())],
  ['GET', /^\/v2\/deployments$/, ({ world }) => json(200, [...world.deployments.values()].map(deploymentView))],
  ['DELETE', /^\/v2\/deployments\/(.+)$/, cancel],
  ['GET', /^\/v2\/queue$/, ({ world, settings }) => json(200, queueView(world, settings))],
  ['GET', /^\/v2\/tasks$/, taskList],
  ['GET', /^\/v2\/apps(?:\/\/)?$/, appList],
  ['POST', /^\/v2\/apps$/, postApp],
  ['GET', /^\/v2\/apps\/(.+)\/tasks$/, tasksOfApp],
  ['GET', /^\/v2\/apps\/(.+)$/, oneApp],
  ['PUT', /^\/v2\/apps\/(.+)$/, putApp],
  ['DELETE', /^\/v2\/apps\/(.+)$/, deleteApp],
  ['GET', /^\/v2\/groups(?:\/(.*))?$/, oneGroup],
  ['POST', /^\/v2\/groups$/, postGroup],
  ['PUT', /^\/v2\/groups\/(.+)$/, putGroup],
  ['DELETE', /^\/v2\/groups\/(.+)$/, deleteGroup],
];

export function marathonReply(scene: Scene, asked: Asked): Reply {
  if (asked.path === '/ping') return { status: 200, body: 'pong', headers: { 'content-type': 'text/plain' } };
  const known = routes.filter(([, path]) => path.test(asked.path));
  const route = known.find(([method]) => method === asked.method);
  if (route === undefined) return page(known.length === 0 ? 404 : 405, 'Not Found');
  const [, path, answer] = route;
  const id = path.exec(asked.path)?.[1] ?? '';
  return answer(scene, asked, `/${id.replace(/^\/+|\/+$/g, '')}`);
}

const leaderReply = (leader: string | undefined): Reply =>
  leader === undefined ? json(404, { message: 'There is no leader' }) : json(200, { leader });

const unknown = (kind: 'App' | 'Group', id: string): Reply => json(404, { message: `${kind} '${id}' does not exist` });
const invalid = (faults: readonly Fault[]): Reply =>
  json(422, {
    message: 'Object is not valid',
    details: faults.map(({ path, error }) => ({ path, errors: [error] })),
  });

const embedded = (query: URLSearchParams): ReadonlySet<string> =>
  new Set(query.getAll('embed').map((one) => one.replace(/^(apps|app)\./, '')));
/** Of one app all is told, as ever. */
const everything = new Set(['tasks', 'counts', 'deployments', 'lastTaskFailure']);

function appList({ world, settings }: Scene, { query }: Asked): Reply {
  const contains = query.get('id') ?? '';
  const found = [...world.apps.values()].filter(({ app }) => app.id.includes(contains));
  return json(200, { apps: found.map((held) => appView(world, held, settings, embedded(query))) });
}

function oneApp({ world, settings }: Scene, _asked: Asked, id: string): Reply {
  const held = world.apps.get(id);
  return held === undefined ? unknown('App', id) : json(200, { app: appView(world, held, settings, everything) });
}

function tasksOfApp({ world, settings }: Scene, _asked: Asked, id: string): Reply {
  if (!world.apps.has(id)) return unknown('App', id);
  return json(200, { tasks: tasksOf(world, id).map((task) => taskView(world, task, settings)) });
}

/** Whoever does not ask for JSON gets a table of text. */
function taskList({ world, settings }: Scene, { headers }: Asked): Reply {
  const tasks = [...world.tasks.values()];
  if ((headers['accept'] ?? '').includes('json'))
    return json(200, { tasks: tasks.map((task) => taskView(world, task, settings)) });
  const body = tasks.map(({ app, agent }) => `${app.slice(1)}\t0\t${agent.hostname}\n`).join('');
  return { status: 200, body, headers: { 'content-type': 'text/plain' } };
}

function read(
  body: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reply: Reply } {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return { ok: true, value };
  } catch {
    // Told below.
  }
  return { ok: false, reply: json(400, { message: 'Invalid JSON' }) };
}

/** The app of a request, judged by form and by rule. */
function appIn(scene: Scene, body: string, id?: string): { readonly app: GivenApp } | { readonly reply: Reply } {
  const given = read(body);
  if (!given.ok) return { reply: given.reply };
  const value = id === undefined ? given.value : { id, ...(given.value as object) };
  const faults = scene.judge('app', value);
  if (faults.length > 0) return { reply: invalid(faults) };
  const app = value as GivenApp;
  if (id !== undefined && `/${app.id.replace(/^\//, '')}` !== id)
    return { reply: invalid([{ path: '/id', error: `the id of the path is ${id}` }]) };
  const broken = refusals(app, scene.settings);
  return broken.length > 0 ? { reply: invalid(broken) } : { app: { ...app, id: `/${app.id.replace(/^\//, '')}` } };
}

function postApp(scene: Scene, asked: Asked): Reply {
  const given = appIn(scene, asked.body);
  if ('reply' in given) return given.reply;
  if (scene.world.apps.has(given.app.id))
    return json(409, { message: `An app with id [${given.app.id}] already exists.` });
  const made = deploy(scene, asked, [given.app], []);
  if ('reply' in made) return made.reply;
  const held = scene.world.apps.get(given.app.id);
  return json(201, held === undefined ? {} : appView(scene.world, held, scene.settings, everything), {
    location: `/v2/apps${given.app.id}`,
  });
}

function putApp(scene: Scene, asked: Asked, id: string): Reply {
  const given = appIn(scene, asked.body, id);
  if ('reply' in given) return given.reply;
  const there = scene.world.apps.has(id);
  const made = deploy(scene, asked, [given.app], []);
  return 'reply' in made ? made.reply : json(there ? 200 : 201, made);
}

function deleteApp(scene: Scene, asked: Asked, id: string): Reply {
  if (!scene.world.apps.has(id)) return unknown('App', id);
  const made = deploy(scene, asked, [], [id]);
  return 'reply' in made ? made.reply : json(200, made);
}

const inGroup = ({ world }: Scene, id: string): string[] =>
  [...world.apps.keys()].filter((app) => id === '/' || app.startsWith(`${id}/`));

function oneGroup(scene: Scene, { query }: Asked, id: string): Reply {
  const ids = inGroup(scene, id);
  if (ids.length === 0 && id !== '/') return unknown('Group', id);
  const embeds = new Set(query.getAll('embed').map((one) => one.replace('group.apps.', '')));
  const apps = ids.flatMap((app) => {
    const held = scene.world.apps.get(app);
    return held === undefined ? [] : [appView(scene.world, held, scene.settings, embeds)];
  });
  return json(200, { id, apps, groups: [], dependencies: [], version: new Date().toISOString() });
}

interface GivenGroup {
  readonly id?: string;
  readonly apps?: readonly GivenApp[];
  readonly groups?: readonly GivenGroup[];
}

/** The apps of a group and of those in it, by their whole ids. */
function appsOf(scene: Scene, group: GivenGroup, id: string, at = ''): { apps: GivenApp[]; faults: Fault[] } {
  const apps: GivenApp[] = [];
  const faults: Fault[] = [];
  for (const [index, app] of (group.apps ?? []).entries()) {
    const child = childOf(id, app.id);
    if ('fault' in child) faults.push({ path: `${at}/apps(${index})/id`, error: child.fault });
    else apps.push({ ...app, id: child.id });
    faults.push(
      ...refusals(app, scene.settings).map(({ path, error }) => ({ path: `${at}/apps(${index})${path}`, error })),
    );
  }
  for (const [index, one] of (group.groups ?? []).entries()) {
    const child = childOf(id, one.id ?? '');
    if ('fault' in child) faults.push({ path: `${at}/groups(${index})/id`, error: child.fault });
    else {
      const inner = appsOf(scene, one, child.id, `${at}/groups(${index})`);
      apps.push(...inner.apps);
      faults.push(...inner.faults);
    }
  }
  const twice = apps.find(({ id: one }, index) => apps.findIndex((other) => other.id === one) !== index);
  if (twice !== undefined) faults.push({ path: `${at}/apps`, error: `${twice.id} is there twice` });
  return { apps, faults };
}

function groupIn(scene: Scene, body: string, id?: string): { id: string; apps: GivenApp[] } | { reply: Reply } {
  const given = read(body);
  if (!given.ok) return { reply: given.reply };
  const faults = scene.judge('group', given.value);
  if (faults.length > 0) return { reply: invalid(faults) };
  const group = given.value as GivenGroup;
  const own = `/${(group.id ?? id ?? '').replace(/^\//, '')}`;
  if (id !== undefined && own !== id)
    return { reply: invalid([{ path: '/id', error: `the id of the path is ${id}` }]) };
  const { apps, faults: broken } = appsOf(scene, group, own);
  return broken.length > 0 ? { reply: invalid(broken) } : { id: own, apps };
}

function postGroup(scene: Scene, asked: Asked): Reply {
  const given = groupIn(scene, asked.body);
  if ('reply' in given) return given.reply;
  if (inGroup(scene, given.id).length > 0)
    return json(409, { message: `Group ${given.id} is already created. Use PUT to change this group.` });
  const made = deploy(scene, asked, given.apps, []);
  return 'reply' in made ? made.reply : json(201, made, { location: `/v2/groups${given.id}` });
}

/** What the group had and is not said any more is stopped. */
function putGroup(scene: Scene, asked: Asked, id: string): Reply {
  const given = groupIn(scene, asked.body, id);
  if ('reply' in given) return given.reply;
  const there = inGroup(scene, id);
  const gone = there.filter((app) => !given.apps.some((one) => one.id === app));
  const made = deploy(scene, asked, given.apps, gone);
  return 'reply' in made ? made.reply : json(there.length > 0 ? 200 : 201, made);
}

function deleteGroup(scene: Scene, asked: Asked, id: string): Reply {
  const there = inGroup(scene, id);
  if (there.length === 0) return unknown('Group', id);
  const made = deploy(scene, asked, [], there);
  return 'reply' in made ? made.reply : json(200, made);
}

/** A deployment that is cancelled leaves what it has done. */
function cancel({ world }: Scene, _asked: Asked, id: string): Reply {
  const name = id.slice(1);
  if (!world.deployments.delete(name)) return json(404, { message: `DeploymentPlan ${name} does not exist` });
  return { status: 202, body: '', headers: {} };
}

/** Begins a deployment; one that holds an app is in its way, unless it comes by force. */
function deploy(
  { world, work }: Scene,
  { query }: Asked,
  starts: readonly GivenApp[],
  stops: readonly string[],
): { readonly version: string; readonly deploymentId: string } | { readonly reply: Reply } {
  const ids = [...starts.map(({ id }) => id), ...stops];
  const held = holding(world, ids);
  if (held.length > 0 && query.get('force') !== 'true')
    return { reply: json(409, { message: locked, deployments: held.map(({ id }) => ({ id })) }) };
  for (const { id } of held) world.deployments.delete(id);
  const version = new Date().toISOString();
  for (const app of starts) {
    const old = world.apps.get(app.id);
    const same = old !== undefined && JSON.stringify(old.app) === JSON.stringify(app);
    // What has not changed goes on; the rest begins anew.
    if (!same) world.apps.set(app.id, { app, version, notBefore: 0 });
  }
  const id = randomUUID();
  world.deployments.set(id, { id, version, begun: Date.now(), starts: starts.map((app) => app.id), stops });
  work.wake();
  return { version, deploymentId: id };
}

const locked =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
