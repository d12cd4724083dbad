/** The folder that this server process was given for its data. */
export function dataFolder(): string {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('usage: node SERVER FOLDER');
  return folder;
}
