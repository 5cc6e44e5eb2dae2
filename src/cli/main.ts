// Where every command starts: says how the program is called. Touches only stderr.

process.stderr.write('usage: mq COMMAND [ARGUMENTS]\n');
process.exitCode = 1;
