/** What the stand-in for Mesos and Marathon needs from whoever starts tasks; in the lab, the lab's launcher. */
import type { Attachment } from '../../mesos/apps.ts';

export interface TaskToRun {
  /** As Marathon names it. */
  readonly id: string;
  readonly app: string;
  /** The agent's hostname. */
  readonly agent: string;
  readonly containerizer: 'docker' | 'mesos';
  readonly image?: string;
  readonly command: string;
  readonly attachment: Attachment;
}

/** What Mesos would know of a task that runs. */
export interface Runs {
  readonly containerId: string;
  /** A process in its network namespace, as its agent counts. */
  readonly pid?: number;
  readonly addresses: readonly string[];
}

export interface Runner {
  /** A task that cannot be started throws: it failed. */
  start(task: TaskToRun): Promise<Runs>;
  end(id: string): Promise<void>;
  /** Runs a health check's command in the task. */
  healthy(id: string, command: string): Promise<boolean>;
}

/** A Mesos agent as it registers. */
export interface StandInAgent {
  readonly hostname: string;
  /** `host:port` where it listens. */
  readonly address: string;
  readonly containerizers: readonly string[];
  readonly isolation: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** How long things take, milliseconds. */
export interface Pace {
  /** A deployment that starts something, at least. */
  readonly deployMs: number;
  /** From an offer to the first word of a task. */
  readonly offerMs: number;
  /** Between two looks at what is to do. */
  readonly tickMs: number;
}
