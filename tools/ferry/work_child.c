/* SPDX-License-Identifier: MIT */
/*
 * One run of the command of `ferry work`: see work.h.
 *
 * The message is the command's standard input as a memory file, not a pipe: a
 * command that does not read it, or reads it twice, is right too, and nobody
 * has to pump.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "report.h"
#include "work.h"
#include "work_words.h"

/* Everything the child needs, made before the fork: between fork and exec of
 * a process with threads nothing may be allocated. */
struct launch {
	struct words words;
	char *path, *found;
	int stdin_fd;
	pid_t parent;
};

char *command_find(const char *name, int *out_status)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_MAX];

	*out_status = STATUS_NOT_FOUND;
	if (strchr(name, '/')) {
		if (!access(name, X_OK))
			return strdup(name);
		*out_status = errno == EACCES ? STATUS_NOT_EXECUTABLE :
						STATUS_NOT_FOUND;
		return NULL;
	}
	for (path = path ? path : "/bin:/usr/bin"; *name; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(file, sizeof file, "%.*s%s%s", (int)(end - path), path,
			 end == path ? "" : "/", name);
		if (!access(file, X_OK))
			return strdup(file);
		if (errno == EACCES)
			*out_status = STATUS_NOT_EXECUTABLE;
		if (!*end)
			break;
	}
	return NULL;
}

static int message_file(const struct ferry_message *m)
{
	int fd = memfd_create("ferry-message", MFD_CLOEXEC);
	const char *data = m->data;
	size_t left = m->len;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (left) {
		n = write(fd, data, left);
		if (n < 0) {
			n = -errno;
			close(fd);
			return (int)n;
		}
		data += n;
		left -= (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static _Noreturn void child_main(const struct launch *l, struct work *w,
				 struct work_cell *cell)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != l->parent)
		_exit(STATUS_NOT_FOUND); /* it died before the prctl */
	setpgid(0, 0);
	atomic_store(&cell->group, getpid());
	dup2(l->stdin_fd, STDIN_FILENO);
	sigpipe_restore();
	pthread_sigmask(SIG_SETMASK, &w->mask, NULL);
	execve(l->path, l->words.argv, l->words.envp);
	atomic_store(&cell->exec_errno, errno);
	_exit(STATUS_NOT_FOUND);
}

static struct run_result failed(int status)
{
	return (struct run_result){ RUN_FAILED, status };
}

/* What the wait said, as a shell says it. */
static struct run_result judge(const struct work_cell *cell, int wait_status)
{
	int sys_errno = atomic_load(&cell->exec_errno);

	if (sys_errno == E2BIG)
		return failed(STATUS_NOT_EXECUTABLE); /* this message only */
	if (sys_errno)
		return (struct run_result){ RUN_IMPOSSIBLE,
					    sys_errno == ENOENT ?
						    STATUS_NOT_FOUND :
						    STATUS_NOT_EXECUTABLE };
	if (WIFSIGNALED(wait_status))
		return failed(STATUS_SIGNAL + WTERMSIG(wait_status));
	if (WEXITSTATUS(wait_status))
		return failed(WEXITSTATUS(wait_status));
	return (struct run_result){ RUN_DONE, 0 };
}

/*
 * Wait for our child.  Its pid is reserved until it is reaped, and it leaves
 * the cell before that, so nobody can kill a stranger by it.
 */
static struct run_result await(struct work *w, struct work_cell *cell,
			       pid_t pid)
{
	siginfo_t info;
	int status = 0;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 &&
	       errno == EINTR)
		;
	pthread_mutex_lock(&w->lock);
	atomic_store(&cell->group, 0);
	pthread_mutex_unlock(&w->lock);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(cell, status);
}

static struct run_result launch(struct work_slot *slot, struct launch *l)
{
	struct work_cell *cell = slot->cell;
	struct work *w = slot->work;
	pid_t pid;

	atomic_store(&cell->exec_errno, 0);
	l->parent = getpid();
	pthread_mutex_lock(&w->lock);
	if (atomic_load(&w->hurry)) {
		pthread_mutex_unlock(&w->lock);
		return failed(STATUS_SIGNAL + SIGKILL);
	}
	pid = fork();
	if (pid == 0)
		child_main(l, w, cell);
	if (pid > 0) {
		setpgid(pid, pid);
		atomic_store(&cell->group, pid);
	}
	pthread_mutex_unlock(&w->lock);
	if (pid < 0) {
		report_sys("fork", errno);
		return failed(STATUS_NOT_EXECUTABLE);
	}
	return await(w, cell, pid);
}

struct run_result run_message(struct work_slot *slot,
			      const struct ferry_message *m)
{
	struct work *w = slot->work;
	struct run_result result = failed(STATUS_NOT_EXECUTABLE);
	struct launch l = { .stdin_fd = -1 };
	int err = words_init(&l.words, w->o.name, w->o.command, m);

	if (err < 0) {
		report(w->o.name, STATUS_NOT_EXECUTABLE,
		       "message %llu cannot be an argument (it is not text, "
		       "or too long: leave {} out and read standard input)",
		       (unsigned long long)m->seq);
		goto out;
	}
	l.path = (char *)w->path;
	if (!l.path)
		l.path = l.found =
			command_find(l.words.argv[0], &result.status);
	if (!l.path) {
		result.end = RUN_IMPOSSIBLE;
		goto out;
	}
	l.stdin_fd = message_file(m);
	if (l.stdin_fd < 0)
		report_sys("standard input of the command", -l.stdin_fd);
	else
		result = launch(slot, &l);
out:
	if (l.stdin_fd >= 0)
		close(l.stdin_fd);
	free(l.found);
	words_fini(&l.words);
	return result;
}

void run_kill_all(struct work *w)
{
	pid_t group;

	pthread_mutex_lock(&w->lock);
	atomic_store(&w->hurry, true);
	for (unsigned i = 0; i < w->guard.n_cells; i++) {
		group = atomic_load(&w->guard.cells[i].group);
		if (group > 0)
			kill(-group, SIGKILL);
	}
	pthread_mutex_unlock(&w->lock);
}
