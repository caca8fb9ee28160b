using MuseAtelier.Packages;

namespace MuseAtelier.Checking;

/// <summary>How far a lowering may be from fp32 PyTorch: what its arithmetic costs, and some room for another order of sums.</summary>
/// <param name="Text">Relative error of the text encoders' outputs.</param>
/// <param name="UNet">Relative error of one prediction.</param>
/// <param name="Vae">Relative error of decoding and encoding.</param>
/// <param name="Run">Relative error of the latents after a whole run, in which guidance multiplies what each prediction is off.</param>
/// <param name="Psnr">Least PSNR of the run's picture, in dB.</param>
internal sealed record AllowedErrors(double Text, double UNet, double Vae, double Run, double Psnr)
{
    /// <summary>Relative error of a picture's bytes that <see cref="Psnr"/> amounts to where its root mean square is a tenth of white.</summary>
    public double Picture => Math.Pow(10, -Psnr / 20) / 0.1;

    public static AllowedErrors For(Lowering lowering) => lowering switch
    {
        Lowering.Portable => new AllowedErrors(Text: 1e-5, UNet: 1e-5, Vae: 1e-5, Run: 1e-4, Psnr: 45),
        // No worse than PyTorch's own fp16: with random full-size weights at 1024x1024 on an H200 its UNet is off by 1.8e-3, this one by 1.4e-3.
        // Eight guided steps of that end 2.4e-3 off, at 56.0 dB.
        Lowering.Cuda => new AllowedErrors(Text: 1e-4, UNet: 1.8e-3, Vae: 3.5e-3, Run: 2e-2, Psnr: 40),
        _ => throw new ArgumentOutOfRangeException(nameof(lowering), lowering, null),
    };
}
