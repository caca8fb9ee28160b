using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads the nodes of a ComfyUI graph that lead from a file to a sampler: image to image, and inpainting with a mask of the latents
/// (nodes.py, VAEEncode, VAEEncodeForInpaint, SetLatentNoiseMask). The file is not in the graph, so that its settings are named.
/// </summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the settings.</param>
/// <param name="skip">Names what is not taken; the same words once.</param>
internal sealed class ComfySource(ComfyNodes nodes, RequestDraft draft, Action<string> skip)
{
    /// <summary>Whether a sampler begins with a picture from a file.</summary>
    public bool Leads(JsonElement sampler) => Follow(sampler, isTaken: false);

    /// <summary>Takes the settings of a sampler that begins with a picture from a file.</summary>
    public void Take(JsonElement sampler)
    {
        draft.Source = new ParsedSource();
        Follow(sampler, isTaken: true);
        if (nodes.Single(sampler, "denoise") is not (>= 0 and <= 1 and var strength)) return;
        draft.Source = draft.Source with { Strength = strength };
        draft.SkipWithoutSource("denoise", ComfyNodes.Words(strength));
    }

    private bool Follow(JsonElement sampler, bool isTaken)
    {
        JsonElement? node = nodes.Follow(sampler, "latent_image");
        for (int i = 0; i < ComfyNodes.LongestChain && node is { } here; i++)
        {
            string kind = ComfyNodes.Class(here);
            switch (kind)
            {
                case "LoadImage" or "LoadImageMask":
                    if (isTaken) draft.SkipWithoutSource(kind, nodes.Text(here, "image") ?? "");
                    return true;
                case "SetLatentNoiseMask":
                    if (isTaken) TakeMask(here);
                    break;
                case "VAEEncode":
                    break;
                case "VAEEncodeForInpaint" or "RepeatLatentBatch" or "ImageScale" or "ImageScaleBy" or "ImageScaleToTotalPixels":
                    if (isTaken) skip($"node {kind}");
                    break;
                default:
                    return false;
            }

            node = nodes.Follow(here, "samples", "pixels", "image");
        }

        return false;
    }

    // ComfyUI softens no mask, and decodes the whole picture.
    private void TakeMask(JsonElement node)
    {
        draft.Source = draft.Source! with { MaskBlur = 0, PasteBack = false };
        JsonElement? mask = nodes.Follow(node, "mask");
        string words = mask is { } here ? nodes.Text(here, "image") ?? ComfyNodes.Class(here) : "";
        draft.SkipWithoutSource("SetLatentNoiseMask", words);
    }
}
