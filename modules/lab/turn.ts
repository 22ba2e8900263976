/**
 * Whether the listeners have had their turn. Who is silent because the machine does not let it run has not denied anything;
 * so before a probe is given up, the process that should have answered is asked over the lab's own loopback, behind all
 * that waits for it.
 *
 *     openPulse() -> the listeners' end, answerPulses(fd) -> answers what has come
 *     new Turn()  -> the prober's end
 */
import * as sys from './syscall.ts';

/** Of the lab's own network, where nobody else listens: the number of the echo service. */
const port = 7;
const home = '127.0.0.1';
/** An answer of a task crosses more queues of the kernel than one pulse does. */
const pulses = 3;

/** To be called before the process enters any namespace. */
export function openPulse(): number {
  const fd = sys.socket(4, sys.SOCK_DGRAM);
  const failed = sys.bind(fd, sys.address(home, port));
  if (failed !== 0) throw new sys.SyscallError('bind', failed);
  return fd;
}

const packet = Buffer.alloc(8);
const peer = Buffer.alloc(28);

export function answerPulses(fd: number): void {
  while (sys.receiveFrom(fd, packet, peer) > 0) sys.sendBack(fd, packet, packet.length, peer);
}

export class Turn {
  readonly fd = sys.socket(4, sys.SOCK_DGRAM);
  #number = 0;
  #left = 0;
  #due = 0;
  #since = 0;
  #settled = -1;

  constructor() {
    sys.connect(this.fd, sys.address(home, port));
  }

  /** For how long an answer has been waited for, on the prober's clock; undefined while none is. */
  waited(clock: number): number | undefined {
    return this.#left > 0 ? clock - this.#since : undefined;
  }

  /** Asks whether all that had arrived by now has been answered; nothing new while an answer is waited for. */
  ask(clock: number): void {
    if (this.#left > 0 || this.#settled >= 0) return;
    this.#left = pulses;
    this.#since = this.#due = clock;
    this.#send();
  }

  /** Something has come. */
  hear(): void {
    for (let length = sys.receive(this.fd, packet); length > 0; length = sys.receive(this.fd, packet)) {
      if (this.#left === 0 || packet.readUInt32BE(0) !== this.#number) continue;
      this.#left--;
      if (this.#left > 0) this.#send();
      else this.#settled = this.#due;
    }
  }

  /** What was due by then has had its turn; once. */
  take(): number | undefined {
    const settled = this.#settled;
    this.#settled = -1;
    return settled < 0 ? undefined : settled;
  }

  /** Waits no more; what comes late is passed over. */
  forget(): void {
    this.#left = 0;
    this.#settled = -1;
    this.#number++;
  }

  #send(): void {
    const question = Buffer.alloc(8);
    question.writeUInt32BE(++this.#number, 0);
    sys.send(this.fd, question);
  }
}
