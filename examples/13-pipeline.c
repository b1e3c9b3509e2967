/* SPDX-License-Identifier: MIT */
/*
 * What a shell does for `ls -R | grep foo | grep -v bar | wc -l`: a pipe between two
 * programs each, which know nothing of Ferry.  An end that is exported is a plain
 * descriptor.  The last pipe comes back to us, and we receive from it a line a
 * message.
 *
 *	cc 13-pipeline.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static char *const stages[][5] = {
	{ "ls", "-R", ".", NULL },
	{ "grep", "foo", NULL },
	{ "grep", "-v", "bar", NULL },
	{ "wc", "-l", NULL },
};

#define STAGES (sizeof stages / sizeof stages[0])

static void need(int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(NULL, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* In the child: the link's end becomes standard input or output. */
static void become(struct ferry_link *end, int number)
{
	int fd = ferry_export(end);

	need(fd, "export");
	dup2(fd, number);
	close(fd);
}

static void start(char *const *argv, struct ferry_link *in,
		  struct ferry_link *pipe[2])
{
	if (fork() != 0)
		return;
	if (in)
		become(in, STDIN_FILENO);
	become(pipe[1], STDOUT_FILENO);
	execvp(argv[0], argv); /* all other links are close-on-exec */
	_exit(127);
}

int main(void)
{
	char dir[] = "/tmp/ferry-example.XXXXXX", line[64];
	struct ferry_link *pipe[2], *in = NULL;
	ssize_t n;

	if (!mkdtemp(dir) || chdir(dir) != 0 ||
	    system("mkdir d && touch foo foobar d/foo.c d/foo.h d/bar") != 0)
		return 1;
	for (size_t i = 0; i < STAGES; i++) {
		need(ferry_pair(pipe, "pipe:?framing=line"), "pair");
		start(stages[i], in, pipe);
		ferry_close(in);
		ferry_close(pipe[1]); /* or there would never be an end */
		in = pipe[0];
	}
	while ((n = ferry_recv(in, line, sizeof line, FERRY_FOREVER)) >= 0)
		printf("%.*s\n", (int)n, line);
	printf("then %s\n", ferry_error_name((int)n));
	ferry_close(in);
	while (wait(NULL) > 0)
		;
	return system("rm -r ./foo* ./d") != 0 || rmdir(dir) != 0;
}
