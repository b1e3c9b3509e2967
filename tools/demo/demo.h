/* SPDX-License-Identifier: MIT */
/*
 * The programs of the demonstration, one binary with three roles:
 *
 *   ferry-demo send JOBS LIST JOURNAL       every file of LIST as a message
 *   ferry-demo count JOBS RESULTS PAUSE CONTROL HIGH    count what comes
 *   ferry-demo collect RESULTS N            add up, each file once
 *
 * Nothing is lost whoever is killed, because each step is recorded before the
 * one that it came from is forgotten: the journal moves on after the job was
 * accepted, and a job is released after its result was accepted.  A kill in
 * between does something twice, never never; results name their file, so the
 * second one is dropped.
 */
#ifndef FERRY_DEMO_H
#define FERRY_DEMO_H

#include <stdint.h>

/* What stands in front of the file's bytes in a job. */
struct job {
	uint64_t file; /* its place in the list */
	char bytes[];
};

/* What a worker found. */
struct result {
	uint64_t file;
	uint64_t lines, words, bytes;
	uint64_t redelivered; /* somebody died with this job before */
};

int demo_send(char **args);
int demo_count(char **args);
int demo_collect(char **args);

struct ferry_link;

/* Say what went wrong, in one line; returns the exit status. */
int demo_failed(const char *what, struct ferry_link *link, int err);

#endif
