/** One connection to the service. */
export interface Wire {
  send(frame: Buffer | string): void;
  /** Asks the other end to answer, so that a dead connection is noticed. */
  ping(): void;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  /** Ends the connection. `lost` isn't called afterwards. */
  close(): void;
}

export interface WireEvents {
  /** The connection is there. */
  open(): void;
  message(frame: Buffer): void;
  /** Anything arrived, such as the answer to a ping. */
  alive(): void;
  /** The connection could not be made or has ended. Called once; nothing follows it. */
  lost(why: WireLoss): void;
}

export interface WireLoss {
  readonly reason: string;
  /** Code of the WebSocket's close frame. */
  readonly closeCode?: number;
  /** Status with which the server refused the WebSocket. */
  readonly status?: number;
}

/** Connects to the service. Calls nothing of the events before it has returned. */
export type Dial = (events: WireEvents) => Wire;
