using MuseAtelier.Format;

namespace MuseAtelier.Checking;

/// <summary>
/// The largest errors against fp32 PyTorch that a lowering may have: the error of its arithmetic, and some room for another order of sums.
/// </summary>
/// <param name="Text">Relative error of the text encoders' outputs.</param>
/// <param name="UNet">Relative error of one prediction.</param>
/// <param name="Vae">Relative error of decoding and encoding.</param>
/// <param name="Run">Relative error of the latents after a whole run, in which guidance multiplies the error of each prediction.</param>
/// <param name="Psnr">Least PSNR of the run's picture, in dB.</param>
internal sealed record AllowedErrors(double Text, double UNet, double Vae, double Run, double Psnr)
{
    /// <summary>
    /// The relative error of a picture's bytes that corresponds to <see cref="Psnr"/>, for a root mean square of a tenth of white.
    /// </summary>
    public double Picture => Math.Pow(10, -Psnr / 20) / 0.1;

    public static AllowedErrors For(Lowering lowering) => lowering switch
    {
        Lowering.Portable => new AllowedErrors(Text: 1e-5, UNet: 1e-5, Vae: 1e-5, Run: 1e-4, Psnr: 45),
        // The limit for the UNet is the error of PyTorch's own fp16. With random full-size weights at 1024x1024 on an H200, PyTorch's
        // UNet has an error of 1.8e-3, this one of 1.4e-3. Eight guided steps of it end with an error of 2.4e-3, at 56.0 dB.
        Lowering.Cuda => new AllowedErrors(Text: 1e-4, UNet: 1.8e-3, Vae: 3.5e-3, Run: 2e-2, Psnr: 40),
        _ => throw new ArgumentOutOfRangeException(nameof(lowering), lowering, null),
    };
}
