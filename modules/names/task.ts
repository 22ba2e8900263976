/**
 * What Mesos-DNS calls a task: `task.framework.domain`. Source: mesos-dns v0.5, records/labels/labels.go, with
 * `enforceRFC952` left at false as in the kit's settings.
 */

/** Upper case becomes lower; points and underlines become hyphens, anything else goes; no hyphen at either end. */
const label = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[._]/g, '-')
    .replaceAll(/[^a-z0-9-]/g, '')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');

const fragment = (name: string): string =>
  name
    .split('.')
    .map(label)
    .filter((part) => part !== '')
    .join('.');

export const taskName = (task: string, framework = 'marathon', domain = 'mesos'): string =>
  `${fragment(task)}.${fragment(framework)}.${domain}`;
