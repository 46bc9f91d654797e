package run

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOtherCodeIsAnotherVersion(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	hash := func() string {
		v, err := version(root)
		require.NoError(t, err)
		return v
	}
	write("go.mod", "module m\n")
	write("internal/a/a.go", "package a\n")
	was := hash()
	for _, name := range []string{"runs/x/x.go", "internal/a/a_test.go", "README.md", "internal/a/testdata/b.go", ".git/c.go"} {
		write(name, "anything")
		assert.Equal(t, was, hash(), "%s is not run", name)
	}
	for _, name := range []string{"internal/a/a.go", "e2e/main_test.go", "manifests/x.yaml", "go.sum"} {
		write(name, "package a // another\n")
		now := hash()
		assert.NotEqual(t, was, now, name)
		was = now
	}
}

// The suite that somebody calls by itself knows no source; it is itself all the same.
func TestAProgramWithoutSourceHasAVersion(t *testing.T) {
	was, err := version("")
	require.NoError(t, err)
	assert.Regexp(t, "^program [0-9a-f]{16}$", was)
}
