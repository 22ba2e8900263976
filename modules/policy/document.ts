import type { Place, Problem } from '../problem/problem.ts';
import type { Change } from './change.ts';

/** A policy file: what holds from this file on. */
export interface PolicyDocument {
  readonly file: string;
  readonly title: string;
  /**
   * In the project's own short form, by name of a network (or of a profile that is not a network's). A direction that is written replaces the whole list
   * of that direction; one that is not written stays as it was.
   */
  readonly profiles: Readonly<Record<string, ProfileEdit>>;
  /** What it says in another syntax, to be done in this order. */
  readonly changes?: readonly Change[];
  /** What its syntax cannot say, or what others made of it, where that is no error. */
  readonly warnings?: readonly Problem[];
  /** Hand-written expectations: `allow client -> frontend tcp 9000`, with the line each stands on. */
  readonly expect: readonly { readonly text: string; readonly line: number }[];
  /** Where things stand in the file, by path: `profiles.client`, `profiles.client.inbound[1]`, `expect[0]`. */
  readonly places?: ReadonlyMap<string, Place>;
}

export interface ProfileEdit {
  /** Rules in calicoctl's grammar: `allow tcp from tag client to ports 9000`. Tags are names of networks. */
  readonly inbound?: readonly string[];
  readonly outbound?: readonly string[];
}
