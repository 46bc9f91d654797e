// Package hack embeds the recipes of the images, so that cniperf builds them from
// anywhere.
package hack

import "embed"

// Images is the folder images. A folder with a go.mod would be a module of its own,
// which go leaves out of this one: a recipe's is called recipe.mod, and recipe.sum
// beside it. The files that replace some of a module's lie in _overlay, which go
// compiles nothing of.
//
//go:embed all:images
var Images embed.FS
