// Command interop is the Go client's counterpart of SendMessages.java and
// ConsumeMessages.java: "interop send --topic T ..." and "interop consume ..."; with
// "interop manage ..." it makes and deletes a topic, and "interop ask ..." is that of
// AskAndReply.java.
//
// Both print JSON lines on standard output, as the harness expects; the client's log
// goes to standard error.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// line is one event for the harness; it has the key "event".
type line map[string]any

var output = make(chan line, 1000)
var printed = make(chan struct{})

// say prints one line; lines of many goroutines never mix.
func say(event string, fields line) {
	fields["event"] = event
	output <- fields
}

func printLines() {
	encoder := json.NewEncoder(os.Stdout)
	for fields := range output {
		if err := encoder.Encode(fields); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	close(printed)
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: interop send|consume|manage|ask --namesrv ADDRESS ...")
		os.Exit(2)
	}
	rlog.SetLogLevel("warn")
	programs := map[string]func(*flag.FlagSet, []string) error{
		"send": send, "consume": consume, "manage": manage, "ask": ask,
	}
	program, known := programs[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "no such program:", os.Args[1])
		os.Exit(2)
	}
	go printLines()
	err := program(flag.NewFlagSet(os.Args[1], flag.ExitOnError), os.Args[2:])
	status := 0
	if err != nil {
		say("failed", line{"error": err.Error()})
		status = 1
	} else {
		say("done", line{})
	}
	close(output)
	<-printed
	os.Exit(status)
}
