import type { NodePlan } from './plan.ts';

/** A text of a payload under the name that a person knows it by: a file's path, a unit, `docker.service.d/10-proxy.conf`. */
export interface Piece {
  readonly name: string;
  readonly text: string;
}

/** All that a plan carries, in its order. */
export const pieces = ({ files, units }: Pick<NodePlan, 'files' | 'units'>): readonly Piece[] => [
  ...files.map(({ path, content }) => ({ name: path, text: content })),
  ...units.flatMap(({ name, content, dropIns }) => [
    ...(content === undefined ? [] : [{ name, text: content }]),
    ...dropIns.map((dropIn) => ({ name: `${name}.d/${dropIn.name}`, text: dropIn.content })),
  ]),
];
