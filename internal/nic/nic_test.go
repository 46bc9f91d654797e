package nic

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheKernelTells(t *testing.T) {
	assert.Contains(t, Offloads("lo"), "gso on")
	assert.Empty(t, Offloads("no-such-nic"))
	driver, firmware := Driver("no-such-nic")
	assert.Empty(t, driver+firmware)
	driver, _ = Driver("a name that is longer than the kernel's")
	assert.Empty(t, driver)
}
