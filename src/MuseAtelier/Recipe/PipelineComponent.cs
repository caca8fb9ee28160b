using MuseAtelier.Format;

namespace MuseAtelier.Recipe;

/// <summary>How often a component runs.</summary>
internal enum RunFrequency
{
    /// <summary>Once for each text that was not encoded before.</summary>
    PerPrompt,

    /// <summary>Once per batch, before the first step.</summary>
    PerBatch,

    /// <summary>In every evaluation of the denoising loop.</summary>
    PerEvaluation,

    /// <summary>Once for each picture, or for each tile of it; an existing picture is encoded once for a batch.</summary>
    PerPicture,
}

/// <summary>The properties on which the sizes of a component's tensors depend.</summary>
internal enum ComponentShape
{
    /// <summary>Nothing: one row of tokens.</summary>
    Text,

    /// <summary>The rows and the latent size of a batch.</summary>
    Latents,

    /// <summary>The rows of a batch and the number of evaluations.</summary>
    Schedule,

    /// <summary>The size of one tile of latents, which may be the whole picture.</summary>
    Tile,

    /// <summary>The size of one whole picture, and of its frame.</summary>
    Picture,
}

/// <summary>The part of the model whose arithmetic a component has.</summary>
internal enum ModelPart
{
    /// <summary>CLIP-L and CLIP-G.</summary>
    TextEncoders,

    /// <summary>The UNet, and the keys, values and embeddings that it reads.</summary>
    UNet,

    /// <summary>The VAE.</summary>
    Vae,

    /// <summary>The VAE in fp32, whatever arithmetic the package has for the other parts.</summary>
    Fp32Vae,

    /// <summary>An upscaler, which is a model of its own. It has the arithmetic that the VAE would have.</summary>
    Upscaler,

    /// <summary>An upscaler in fp32, whatever arithmetic the package has.</summary>
    Fp32Upscaler,

    /// <summary>No part of the model: conversion to bytes, which has no weights and computes in fp32.</summary>
    PostProcessing,
}

/// <summary>When a picture needs a component.</summary>
internal enum ComponentUse
{
    /// <summary>For every picture.</summary>
    Always,

    /// <summary>For pictures that are decoded in the arithmetic of the package's VAE.</summary>
    UsualDecoding,

    /// <summary>For pictures that are decoded in fp32 although the package's VAE computes in fp16.</summary>
    Fp32Decoding,

    /// <summary>For pictures without a frame.</summary>
    WithoutFrame,

    /// <summary>For pictures with a frame.</summary>
    WithFrame,

    /// <summary>For pictures that are painted from an existing one.</summary>
    Encoding,

    /// <summary>For pictures that an upscaler enlarges, which is a package of its own.</summary>
    Upscaling,
}

/// <summary>
/// A component's place in the making of a picture. All decisions that depend on which component it is are made from these members.
/// </summary>
/// <param name="Name">One of <see cref="ComponentNames"/>.</param>
/// <param name="Title">The name that users read.</param>
/// <param name="Phase">The phase in which it runs; null if it runs in no phase of a picture.</param>
/// <param name="Frequency">How often it runs.</param>
/// <param name="Shape">The properties on which the sizes of its tensors depend.</param>
/// <param name="Part">The part of the model that it belongs to.</param>
/// <param name="Use">When a picture needs it.</param>
internal sealed record PipelineComponent(
    string Name, string Title, PlanPhase? Phase, RunFrequency Frequency, ComponentShape Shape, ModelPart Part, ComponentUse Use)
{
    /// <summary>Whether convolutions are among its operators.</summary>
    public bool HasConvolutions { get; init; }

    /// <summary>Whether attention is among its operators.</summary>
    public bool HasAttention { get; init; }

    /// <summary>
    /// Whether the component runs in every step, so that its streamed weights have a streaming buffer of their own, and sessions that find
    /// no room rotate.
    /// </summary>
    public bool RunsInEveryStep => Frequency == RunFrequency.PerEvaluation;

    /// <summary>Whether the component decodes latents.</summary>
    public bool Decodes => Use is ComponentUse.UsualDecoding or ComponentUse.Fp32Decoding;

    /// <summary>Whether the component encodes an existing picture. It is loaded for a batch and released before the first step.</summary>
    public bool Encodes => Use == ComponentUse.Encoding;

    /// <summary>Whether the component runs before the first step, for prompts.</summary>
    public bool RunsBeforeSteps => Frequency is RunFrequency.PerPrompt or RunFrequency.PerBatch;

    /// <summary>
    /// Whether its working memory is an arena of its own. A component that works on whole pictures takes more working memory than all the
    /// others together, and only for a moment.
    /// </summary>
    public bool OwnsArena => Shape is ComponentShape.Tile or ComponentShape.Picture;

    /// <summary>
    /// The shape for which the component runs in a batch. The decoder chooses the shape for <see cref="ComponentShape.Tile"/> and
    /// <see cref="ComponentShape.Picture"/>.
    /// </summary>
    /// <param name="latents">The rows and the latent size of the batch.</param>
    /// <param name="evaluations">The number of evaluations of the denoising loop.</param>
    /// <exception cref="InvalidOperationException">The decoder chooses the shape.</exception>
    public PictureShape ShapeFor(PictureShape latents, int evaluations) => Shape switch
    {
        ComponentShape.Text => new PictureShape(1, 0, 0, 0),
        ComponentShape.Latents => latents with { Steps = 1 },
        ComponentShape.Schedule => latents with { Steps = evaluations },
        _ => throw new InvalidOperationException($"The decoder chooses the shape of {Name}."),
    };

    /// <summary>The arithmetic of the component in a package.</summary>
    /// <param name="precisions">The arithmetic of the package's parts.</param>
    public Precision PrecisionIn(Precisions precisions) => Part switch
    {
        ModelPart.TextEncoders => precisions.TextEncoders.Arithmetic,
        ModelPart.UNet => precisions.UNet.Arithmetic,
        ModelPart.Vae or ModelPart.Upscaler => precisions.Vae.Arithmetic,
        _ => Precision.Fp32,
    };
}
