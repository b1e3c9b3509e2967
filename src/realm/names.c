/* SPDX-License-Identifier: MIT */
/*
 * Names and directories: where a name lives, and whether that place can be
 * trusted.  The default depends on the uid and the environment only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ferry/mailbox.h>

#include "base/error.h"
#include "realm/realm.h"
#include "sys/files.h"
#include "sys/process.h"

int ferryi_realm_default(char *buf, size_t size)
{
	const char *chosen = getenv("FERRY_REALM");
	unsigned uid = ferryi_uid();
	struct stat st;
	int n;

	if (chosen && chosen[0]) {
		n = snprintf(buf, size, "%s", chosen);
	} else {
		n = snprintf(buf, size, "/run/ferry/%u", uid);
		if (ferryi_stat_path(buf, &st) < 0)
			n = snprintf(buf, size, "/dev/shm/ferry-%u", uid);
	}
	if ((size_t)n >= size)
		return ferryi_fail(-EINVAL,
				   "the path in FERRY_REALM is too long "
				   "(at most %zu bytes)",
				   size - 1);
	return n;
}

static int check_name(const char *name, const char *text)
{
	size_t len = strlen(name);

	if (len == 0)
		return ferryi_fail(
			-EINVAL, "the name is empty (give a mailbox name, e.g. "
				 "\"jobs\")");
	if (len > FERRY_NAME_MAX)
		return ferryi_fail(-EINVAL,
				   "the name has %zu bytes (at most %d)", len,
				   FERRY_NAME_MAX);
	if (name[0] == '.')
		return ferryi_fail(-EINVAL,
				   "name %s: names do not start with a dot",
				   text);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == ':' ||
		    *p == '?')
			return ferryi_fail(
				-EINVAL,
				"name %s: a name holds no ':', no '?' "
				"and no control characters",
				text);
	return 0;
}

/* Kinds of objects: what begins the name of the file, and what people say. */
static const struct {
	uint32_t kind;
	const char *prefix, *noun;
} kinds[] = {
	{ FERRYI_KIND_MAILBOX, "", "mailbox" },
	{ FERRYI_KIND_TOPIC, ".topic.", "topic" },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

static size_t of_kind(uint32_t kind)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (kinds[i].kind == kind)
			return i;
	return 0;
}

/* Only mailboxes have no prefix, and no other name begins with a dot. */
static size_t of_file(const char *file)
{
	for (size_t i = 1; i < N_KINDS; i++)
		if (strncmp(file, kinds[i].prefix, strlen(kinds[i].prefix)) ==
		    0)
			return i;
	return 0;
}

uint32_t ferryi_file_kind(const char *file)
{
	size_t i = of_file(file);

	return i == 0 && file[0] == '.' ? 0 : kinds[i].kind;
}

const char *ferryi_file_name(const char *file)
{
	return file + strlen(kinds[of_file(file)].prefix);
}

const char *ferryi_file_noun(const char *file)
{
	return kinds[of_file(file)].noun;
}

void ferryi_place_set_kind(struct ferryi_place *p, uint32_t kind)
{
	p->kind = kind;
	snprintf(p->file, sizeof p->file, "%s%s", kinds[of_kind(kind)].prefix,
		 p->name);
}

static int parse(struct ferryi_place *p, const char *text)
{
	const char *slash;
	int r;

	slash = strrchr(text, '/');
	r = check_name(slash ? slash + 1 : text, text);
	if (r < 0)
		return r;
	memcpy(p->name, slash ? slash + 1 : text,
	       strlen(slash ? slash + 1 : text) + 1);
	p->is_default = slash == NULL;
	if (!slash)
		r = ferryi_realm_default(p->directory, sizeof p->directory);
	else
		r = snprintf(p->directory, sizeof p->directory, "%.*s",
			     slash == text ? 1 : (int)(slash - text), text);
	if (r >= (int)sizeof p->directory)
		return ferryi_fail(-EINVAL,
				   "the path has %zu bytes (at most %zu)",
				   strlen(text), sizeof p->directory - 1);
	return r < 0 ? r : 0;
}

int ferryi_place_parse(struct ferryi_place *p, const char *text)
{
	int r = parse(p, strncmp(text, "mailbox:", 8) == 0 ? text + 8 : text);

	if (r == 0)
		ferryi_place_set_kind(p, FERRYI_KIND_MAILBOX);
	return r;
}

int ferryi_place_parse_any(struct ferryi_place *p, const char *text)
{
	uint32_t kind = 0;
	int r;

	for (size_t i = 0; i < N_KINDS && !kind; i++) {
		size_t n = strlen(kinds[i].noun);

		if (strncmp(text, kinds[i].noun, n) == 0 && text[n] == ':') {
			kind = kinds[i].kind;
			text += n + 1;
		}
	}
	r = parse(p, text);
	if (r == 0)
		ferryi_place_set_kind(p, kind);
	p->kind = kind;
	return r;
}

int ferryi_place_find(struct ferryi_place *p, int dir)
{
	size_t found = N_KINDS;
	struct stat st;

	if (p->kind)
		return 0;
	for (size_t i = 0; i < N_KINDS; i++) {
		ferryi_place_set_kind(p, kinds[i].kind);
		if (ferryi_stat_at(dir, p->file, &st) < 0)
			continue;
		if (found < N_KINDS)
			return ferryi_fail(-EINVAL,
					   "%s is a %s and a %s (say %s:%s or "
					   "%s:%s)",
					   p->name, kinds[found].noun,
					   kinds[i].noun, kinds[found].noun,
					   p->name, kinds[i].noun, p->name);
		found = i;
	}
	ferryi_place_set_kind(p, found < N_KINDS ? kinds[found].kind :
						   FERRYI_KIND_MAILBOX);
	return 0;
}

/* "No such object" names where it was searched, and where it is. */
int ferryi_place_missing(const struct ferryi_place *p)
{
	const char *noun = kinds[of_kind(p->kind)].noun;
	const char *maker = p->kind == FERRYI_KIND_TOPIC ? "pub" : "mk";
	unsigned uid = ferryi_uid();
	char others[2][64], path[512];
	struct stat st;

	snprintf(others[0], sizeof others[0], "/run/ferry/%u", uid);
	snprintf(others[1], sizeof others[1], "/dev/shm/ferry-%u", uid);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", others[i], p->file);
		if (strcmp(others[i], p->directory) != 0 &&
		    ferryi_stat_path(path, &st) == 0)
			return ferryi_fail(-ENOENT,
					   "no %s %s in realm %s, but there is "
					   "one in %s (set FERRY_REALM=%s)",
					   noun, p->name, p->directory,
					   others[i], others[i]);
	}
	return ferryi_fail(-ENOENT,
			   "no %s %s in realm %s (ferry %s %s makes "
			   "one, ferry ls shows what there is)",
			   noun, p->name, p->directory, maker, p->name);
}

/* A realm that strangers can write to is none. */
static int check_directory(int fd, const char *path)
{
	unsigned me = ferryi_uid();
	const char *chosen = getenv("FERRY_REALM");
	char automatic[64];
	struct stat st;
	int r = ferryi_stat(fd, &st);

	if (r < 0)
		return ferryi_fail_sys(-r, "realm %s: cannot be looked at",
				       path);
	if (st.st_mode & 0002)
		return ferryi_fail(
			-EACCES,
			"realm %s: everybody can write to it, mode %04o "
			"(make a directory of your own, or chmod o-w)",
			path, st.st_mode & 07777);
	snprintf(automatic, sizeof automatic, "/dev/shm/ferry-%u", me);
	if (!chosen && strcmp(path, automatic) == 0 &&
	    (st.st_uid != me || st.st_mode & 0022))
		return ferryi_fail(
			-EACCES,
			"realm %s: belongs to uid %u with mode %04o, "
			"you are uid %u (somebody took the name; have "
			"it removed, or set FERRY_REALM)",
			path, st.st_uid, st.st_mode & 07777, me);
	return 0;
}

int ferryi_realm_directory(const char *path, bool create)
{
	int fd = ferryi_open_directory(path), r;

	if (fd == -ENOENT && create) {
		r = ferryi_make_directory(path, 0700);
		if (r < 0 && r != -EEXIST)
			return ferryi_fail_sys(-r,
					       "realm %s: cannot be made (does "
					       "the directory above it exist, "
					       "and may you write there?)",
					       path);
		fd = ferryi_open_directory(path);
	}
	if (fd == -ENOENT)
		return ferryi_fail(-ENOENT, "realm %s does not exist", path);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return ferryi_fail(
			-EACCES,
			"realm %s: is a symbolic link or no directory "
			"(remove it, or set FERRY_REALM)",
			path);
	if (fd < 0)
		return ferryi_fail_sys(-fd,
				       "realm %s: cannot be opened by uid %u",
				       path, ferryi_uid());
	r = check_directory(fd, path);
	if (r < 0) {
		ferryi_close(fd);
		return r;
	}
	return fd;
}

int ferryi_realm_fail_file(int err, int dir, const char *path)
{
	struct stat st;

	if (err == -EACCES && ferryi_stat(dir, &st) == 0)
		return ferryi_fail(-EACCES,
				   "realm %s: belongs to uid %u with mode "
				   "%04o, uid %u may not make files there",
				   path, st.st_uid, st.st_mode & 07777,
				   ferryi_uid());
	return ferryi_fail_sys(-err, "realm %s: cannot make a file there",
			       path);
}
