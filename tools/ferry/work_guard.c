/* SPDX-License-Identifier: MIT */
/*
 * The guard of `ferry work`: one small process that outlives it by an instant.
 *
 * When `ferry work` is killed its messages go to other receivers at once, so
 * its commands must not go on with them silently.  PR_SET_PDEATHSIG kills each
 * command itself, but not what the command has started; the guard kills the
 * whole process group.  It learns of the end by the end of a pipe, which no
 * kind of death can prevent.  What is left is a moment in which the old run
 * still breathes while the new one begins, as with any delivery at least once.
 */
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Keep `fd` and nothing else: an open stdout would hide our caller's end. */
static void close_others(int fd)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (dup2(fd, 0) < 0)
		_exit(1);
	for (int i = 1; i < (max < 0 || max > 65536 ? 65536 : max); i++)
		close(i);
}

static _Noreturn void guard_main(const struct work_guard *g, int fd)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	pid_t group;
	char byte;

	setsid();
	for (int s = 1; s < SIGRTMIN; s++)
		sigaction(s, &ignore, NULL);
	prctl(PR_SET_NAME, "ferry-guard");
	close_others(fd);
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	for (unsigned i = 0; i < g->n_cells; i++) {
		group = atomic_load(&g->cells[i].group);
		if (group > 0)
			kill(-group, SIGKILL);
	}
	_exit(0);
}

int guard_start(struct work_guard *g, unsigned n_cells)
{
	int ends[2];

	g->n_cells = n_cells;
	g->cells = mmap(NULL, n_cells * sizeof *g->cells,
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0);
	if (g->cells == MAP_FAILED)
		return -errno;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	g->pid = fork();
	if (g->pid < 0)
		return -errno;
	if (g->pid == 0) {
		close(ends[1]);
		guard_main(g, ends[0]);
	}
	close(ends[0]);
	g->pipe = ends[1];
	return 0;
}

void guard_stop(struct work_guard *g)
{
	close(g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(g->cells, g->n_cells * sizeof *g->cells);
}
