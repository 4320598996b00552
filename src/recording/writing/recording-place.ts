import type { RecordingFile } from './recording-file.js';

/** Where a session that begins soon will be recorded: its file is there already, and empty. */
export class RecordingPlace {
  #file: RecordingFile | undefined;

  /** @param at when the session began, whose day names the file's folder */
  constructor(
    readonly session: string,
    readonly at: string,
    file: RecordingFile,
  ) {
    this.#file = file;
  }

  /** The file, once: whoever takes it closes it. */
  take(): RecordingFile {
    const file = this.#file;
    if (file === undefined) throw new Error('the place of a recording was taken or left before');
    this.#file = undefined;
    return file;
  }

  /** The session does not begin: nothing is left of it. Does nothing where the file was taken. */
  leave(): void {
    this.#file?.abandon();
    this.#file = undefined;
  }
}
