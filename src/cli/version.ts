// The one version number of client, server and agent; a test compares it with package.json.
export const version = '0.1.0';
