// How the files are opened that a user names: without waiting, and with the cause where that fails.

import { constants, open } from "node:fs/promises";

/**
 * Opens a file to read it. Pipes, devices and directories are refused: files are read again at a renewal, which a
 * pipe is not, and opening one that nobody writes to would keep a thread for ever.
 */
export async function openFile(path) {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0));
  } catch (error) {
    if (error.code !== "ENOENT" || !`${path}`.startsWith("~")) throw error;
    throw new NotAFile("there is no such file; `~` stands for a home directory in a shell only: write the whole path");
  }
  const status = await file.stat();
  if (status.isFile()) return file;
  await file.close();
  const kind = status.isDirectory() ? "a directory" : status.isFIFO() ? "a pipe" : status.isSocket() ? "a socket" : "a device";
  throw new NotAFile(`it is ${kind}, not a file: pass what it holds, or write that to a file`);
}

/** Why a path is not read, in words that do not hold the path. */
export class NotAFile extends Error {}
