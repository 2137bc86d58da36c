/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the executor share: executor.c is the hub, process.c what runs in the processes; interfaces.c,
 * observe.c, control.c and pins.c have verbs of one or both, pipes.c of the hub.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SLOTS = 64,            /* processes at a time, and the hub */
	MESSAGE_MAX = 1 << 16, /* one primitive to or from a process */
	DATA_MAX = 1 << 19,    /* data of one primitive */
};

enum kind { DONE, ERRNO, SIGNAL, DIED };

/* What a primitive gives back; `data` follows it on the wire between process and hub. */
struct result {
	int32_t kind;
	int32_t code;          /* errno or signal */
	uint64_t value;        /* DONE: a number; else: pages done */
	uint32_t length;       /* bytes of data */
	uint32_t pad;
};

struct reply {
	struct result r;
	unsigned char data[DATA_MAX];
};

/* The rest of a primitive, word by word. */
struct words {
	char *at;
};

struct verb {
	const char *name;
	void (*run)(struct words *w, struct reply *out);
};

extern const struct verb interface_hub_verbs[], interface_process_verbs[];
extern const struct verb observe_hub_verbs[], observe_process_verbs[];
extern const struct verb control_hub_verbs[], control_process_verbs[];
extern const struct verb pipe_hub_verbs[];
extern const struct verb pins_hub_verbs[], pins_process_verbs[];

extern struct reply reply;            /* each process has its own */
extern int sockets[SLOTS][2];         /* [0] is the hub's end, [1] the process's */
extern int my_slot;
extern pid_t hub_pid;
extern size_t page_size;
extern uint64_t salt;                 /* of this run: no stranger's page equals one of ours, also not for KSM */

char *text(struct words *w);
uint64_t number(struct words *w);
void *address(struct words *w);
void fail(struct reply *out, int error);
void settle(struct reply *out, long returned);
void run_verb(const struct verb *const *tables, char *line, struct reply *out);
int open_hub_fd(unsigned fd, int flags);
int take_hub_fd(unsigned fd);
void open_kernel_log(void);
_Noreturn void process_main(void);

#endif
